"""The official examples of R4 are accepted and come back equal."""

import gzip

import pytest

from fhir_server.app import create_app
from fhir_server.settings import Settings
from profiles import json
from profiles.definitions import r4
from tests.shared import SHARED, needs_shared

KNOWN_INVALID = {"ImplementationGuide/fhir", "Questionnaire/qs1"}
SENDING = {"Content-Type": "application/fhir+json"}


@pytest.fixture
async def application(mongodb_uri, database_name):
    """As everywhere, but with the usual limits: some examples are large."""
    app = create_app(Settings(authentication="off", database=database_name), mongodb_uri)
    async with app.outer.router.lifespan_context(app.outer):
        yield app


def examples():
    """(type, [bytes]) of each file."""
    if SHARED is None:
        return []
    files = sorted((SHARED / "data" / "fhir-r4-examples").glob("*.ndjson.gz"))
    return [(path.name.removesuffix(".ndjson.gz"), gzip.decompress(path.read_bytes()).splitlines()) for path in files]


@needs_shared
@pytest.mark.parametrize(("type", "lines"), [pytest.param(*each, id=each[0]) for each in examples()])
async def test_the_examples_of_a_type_come_back_equal(client, type, lines):
    for line in lines:
        resource = json.decode(line)
        address = f"/{type}/{resource['id']}"
        stored = await client.put(address, content=line, headers=SENDING)
        if type not in r4().resource_types:
            assert (stored.status_code, type) == (404, type), stored.text
        elif address[1:] in KNOWN_INVALID:
            assert stored.status_code in {400, 422}, address
        else:
            assert stored.status_code == 201, (address, stored.text[:2000])
            read = json.decode((await client.get(address, headers={"Accept": "application/fhir+json"})).content)
            assert json.encode(unstamped(read)) == json.encode(unstamped(resource)), address


def unstamped(resource):
    """The resource without what the server is to write into meta; the order of keys and the digits of numbers count."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in {"versionId", "lastUpdated"}}
    return {name: meta if name == "meta" else value for name, value in resource.items() if name != "meta" or meta}
