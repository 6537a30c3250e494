"""Fixtures: the server over HTTP."""

from tests.rest.served import application, client

__all__ = ["application", "client"]
