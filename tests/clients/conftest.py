"""Fixtures: a server as a process of its own, one for all tests of this folder that a worker runs."""

import pytest

from tests.clients import running
from tests.rest.served import application, client

__all__ = ["application", "client"]


@pytest.fixture(scope="session")
def base(mongodb_uri, worker_database, tmp_path_factory):
    """The address of a server on an empty database."""
    connection, name = worker_database
    database = f"{name}_clients"
    connection.drop_database(database)
    with running.serve(tmp_path_factory.mktemp("server"), mongodb_uri, database) as address:
        yield address
    connection.drop_database(database)
