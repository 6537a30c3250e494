"""A revocation binds the very next request, whichever process answers it, open page links included; a link is worth nothing by itself."""

from collections.abc import AsyncIterator

import pytest
import time_machine
from pymongo import MongoClient

from fhir_server.auth.roles import Role
from tests.access.leaks.world import Served, emptied, served
from tests.access.secured import requester, store
from tests.access.sharing import consent, denied, facility, network, physician, result_of, settle, write
from tests.conftest import NOW

A, B, D = physician("A"), physician("B"), physician("D")
DOCUMENT = {
    "resourceType": "Binary",
    "id": "letter",
    "contentType": "text/plain",
    "data": "44Gy44G/44Gk",
    "securityContext": {"reference": "Patient/pa1"},
}
WAYS = (
    "/Observation/lab-a1", "/Observation/lab-a1/_history/1", "/Observation/lab-a1/_history", "/Observation?_id=lab-a1", "/Observation/_history",
    "/Patient/golden-1/$everything", "/Patient/pa1/$everything", "/Patient/pa1", "/Patient/golden-1", "/Observation?patient=Patient/golden-1",
    "/Observation/lab-a1/$meta", "/Observation?patient.identifier=urn:facility:A|A0001", "/Patient?_id=pa1&_revinclude=Observation:subject",
    "/Binary/letter",
)  # fmt: skip


@pytest.fixture(scope="module")
async def two(mongodb_uri: str, worker_database: tuple[MongoClient, str]) -> AsyncIterator[tuple[Served, Served]]:
    """Two processes' applications over one database."""
    client, name = worker_database
    with time_machine.travel(NOW, tick=False):
        async with served(mongodb_uri, emptied(client, name)) as one, served(mongodb_uri, name) as other:
            await network(one.app)
            await store(one.app, *(result_of("A", id=f"lab-a1-{n}") for n in range(4)), DOCUMENT, custodian=facility("A"))
            yield one, other


@pytest.fixture(params=[False, True], ids=["at once", "settled"])
async def shared(two, request) -> tuple[Served, Served]:
    """A and B share, as of now or for long."""
    one, _ = two
    await write(one.app, consent("AB"))
    after = one.app.registry.network.settler._after
    if request.param:
        await settle(one.app)
    one.app.registry.network.settler._after = after
    return two


ENDS = {
    "stopped": {**consent("AB"), "status": "inactive"},
    "partly": {**consent("AB"), "provision": {**consent("AB")["provision"], "provision": [denied("B")]}},
    "entered in error": {**consent("AB"), "status": "entered-in-error"},
}


async def told(server: Served) -> set[str]:
    """The ways by which B still learns of A's data."""
    answers = {way: await server.ask(B, "GET", way) for way in WAYS}
    return {way for way, each in answers.items() if "lab-a1" in _found(each) or "Patient/pa1" in _found(each) or each.text == "ひみつ"}


def _found(response) -> str:
    found = response.json() if response.status_code == 200 and "json" in response.headers["content-type"] else {}
    entries = found.get("entry", ()) if found.get("resourceType") == "Bundle" else ([{"resource": found}] if found else ())
    return " ".join(f"{each['resource']['resourceType']}/{each['resource'].get('id')} lab-a1" if each["resource"].get("id") in (
        "pa1", "lab-a1", "golden-1", "letter") or each["resource"]["resourceType"] == "Parameters" else "" for each in entries)  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
async def test_s18_s22_s60_d05_d06_a_revocation_binds_the_next_request_of_every_process(shared, end):
    one, other = shared
    for server in shared:
        assert await told(server) == set(WAYS)
    await write(one.app, ENDS[end])
    for server in (other, one):
        assert await told(server) == set()


async def pages(server: Served, who, address: str) -> list[set[str]]:
    """The ids of each page, following the links."""
    found = []
    while address:
        bundle = (await server.ask(who, "GET", address)).json()
        found.append({each["resource"]["id"] for each in bundle.get("entry", ())})
        address = following(bundle)
    return found


def following(bundle) -> str:
    """The link to the next page."""
    return next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")


@pytest.mark.parametrize("search", ["/Observation?_count=2", "/Observation?_sort=-date&_count=2"])
async def test_s07_s08_s60_an_open_page_link_ends_with_the_revocation(shared, search):
    one, other = shared
    first = (await one.ask(B, "GET", search)).json()
    assert following(first)
    assert any("a1" in each for page in await pages(other, B, following(first)) for each in page)
    await write(other.app, ENDS["stopped"])
    for server in shared:
        assert {each for page in await pages(server, B, following(first)) for each in page} <= {"lab-b1", "pb1", "own"}


async def test_s07_s54_anothers_page_link_shows_what_one_may_see_oneself(shared):
    one, _ = shared
    first = (await one.ask(A, "GET", "/Observation?_count=1")).json()
    assert {each for page in await pages(one, D, following(first)) for each in page} == set()
    clerk = requester(Role.CLERK, organization=facility("A"))
    assert (await one.ask(clerk, "GET", following(first))).status_code == 403
    sealed = following(first)
    for broken in (sealed[:-2] + ("A" if sealed[-2] != "A" else "B") + sealed[-1], sealed.replace("_count=1", "_count=1&code=x")):
        assert (await one.ask(D, "GET", broken)).status_code == 400


async def test_s60_s39_what_is_fetched_in_parts_ends_between_two_of_them(shared):
    one, other = shared
    raw = {"Accept": "text/plain", "Range": "bytes=0-2"}
    assert (await one.ask(B, "GET", "/Binary/letter", headers=raw)).status_code == 206
    await write(other.app, ENDS["stopped"])
    assert (await one.ask(B, "GET", "/Binary/letter", headers={**raw, "Range": "bytes=3-5"})).status_code == 404


async def test_s17_a_version_of_before_the_consent_is_read_with_it_and_not_without(shared):
    one, other = shared
    await store(one.app, {**result_of("A"), "status": "amended"}, custodian=facility("A"))
    assert (await one.ask(B, "GET", "/Observation/lab-a1/_history/1")).status_code == 200
    await write(other.app, ENDS["stopped"])
    hidden, absent = [await one.ask(B, "GET", f"/Observation/lab-{id}/_history/1") for id in ("a1", "x1")]
    assert (hidden.status_code, hidden.text.replace("a1", "x1")) == (absent.status_code, absent.text) == (404, absent.text)


async def test_s20_a_history_bears_the_tag_of_its_custodian_and_of_nobody_else(shared):
    one, _ = shared
    entries = (await one.ask(B, "GET", "/Observation/_history?_count=50")).json()["entry"]
    tags = {each["resource"]["id"][4]: each["resource"]["meta"]["tag"] for each in entries}
    assert tags == {letter: [{"system": "urn:tsunagi:custodian", "code": f"facility-{letter}"}] for letter in "ab"}
