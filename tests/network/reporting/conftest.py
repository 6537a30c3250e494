"""Fixtures: the server over HTTP, with authentication."""

from tests.access.secured import ask, secured, stranger

__all__ = ["ask", "secured", "stranger"]
