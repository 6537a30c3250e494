"""Fixtures: a sandbox as a process of its own, one for all tests of this folder that a worker runs; and one in the test's own."""

import httpx
import pytest

from fhir_server.app import create_app
from fhir_server.settings import Settings
from tests.access.secured import BASE
from tests.clients import running, tester


@pytest.fixture(scope="session")
def base(mongodb_uri, worker_database, tmp_path_factory):
    """The address of a sandbox on an empty database, where the tester is registered."""
    connection, name = worker_database
    database = f"{name}_clients"
    connection.drop_database(database)
    with running.serve(tmp_path_factory.mktemp("server"), mongodb_uri, database) as address:
        tester.register(mongodb_uri, Settings(database=database, sandbox=True))
        yield address
    connection.drop_database(database)


@pytest.fixture
async def client(mongodb_uri, database_name):
    """A client with the tester's token, whose addresses start at the base of a sandbox in the test's process."""
    settings = Settings(database=database_name, base_url=BASE, bundle_limit=200, sandbox=True)
    app = create_app(settings, mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer):
        await tester.add(settings, app.registry)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
            given = (await client.post(BASE.replace("/fhir", "/auth/token"), **tester.request())).raise_for_status()
            client.headers["Authorization"] = f"Bearer {given.json()['access_token']}"
            yield client
