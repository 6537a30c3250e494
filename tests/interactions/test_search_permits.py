"""Searches of a requester who may see one patient only: no way round leads to the other."""

import json
import time

import pytest

from fhir_server.exchange import FhirRequest
from fhir_server.interactions.address import pairs
from fhir_server.interactions.search import search
from fhir_server.interactions.table import route
from fhir_server.outcome import FhirError
from fhir_server.search.expression import EVERYTHING, ForPatient, WithId
from fhir_server.store.permit import Permit
from tests.interactions.searching import link, references, store
from tests.rest.served import BASE, observation, patient

P1 = ForPatient("Patient/p1")
LIMITED = Permit(
    {
        ("search-type", "Patient"): WithId(("p1",)),
        ("search-type", "Observation"): P1,
        ("search-type", "Condition"): P1,
        ("search-type", "List"): EVERYTHING,
        ("search-type", "Practitioner"): EVERYTHING,
    }
)


class Answer:
    """A response as the tests' readers of searchsets know it."""

    def __init__(self, body: bytes) -> None:
        self.status_code, self.text = 200, body.decode()

    def json(self):
        return json.loads(self.text)


@pytest.fixture
async def limited(client, application):
    """Ask with the limited permit; the same data are visible to the client."""
    await store(
        client,
        {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "金刀比羅"}]},
        *(patient(id=id, generalPractitioner=[{"reference": "Practitioner/d1"}]) for id in ("p1", "p2")),
        *(observation(f"Patient/p{n % 2 + 1}", id=f"o{n}", focus=[{"reference": "Patient/p1"}]) for n in range(10)),
        {"resourceType": "Condition", "id": "c2", "subject": {"reference": "Patient/p2"}, "code": {"text": "x"}},
        {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/p1"}},
        {"resourceType": "List", "id": "l1", "status": "current", "mode": "working",
         "entry": [{"item": {"reference": "Patient/p1"}}, {"item": {"reference": "Patient/p2"}}]},
    )  # fmt: skip
    service = application._endpoint.service
    repository = service._open_repository(LIMITED)

    async def ask(address: str) -> Answer:
        path, _, query = address.removeprefix(BASE).removeprefix("/").partition("?")
        found = route("GET", [part for part in path.split("/") if part], service.serving.served)
        request = FhirRequest(found.code, found.type, parameters=pairs(query), base=BASE, compartment=found.compartment)
        response = await search(request, repository, service.serving)
        return Answer(response.body)

    return ask


MINE = ["Observation/o0", "Observation/o2", "Observation/o4", "Observation/o6", "Observation/o8"]


@pytest.mark.parametrize(
    ("address", "match", "include"),
    [
        ("Observation", MINE, []),
        ("Observation?_include=Observation:focus&_include=Observation:subject", MINE, ["Patient/p1"]),  # S01
        ("Patient?_revinclude=Observation:focus", ["Patient/p1"], MINE),  # S02
        ("Practitioner?_revinclude=Patient:general-practitioner&_revinclude:iterate=Observation:subject", ["Practitioner/d1"],
         [*MINE, "Patient/p1"]),  # S03
        ("Practitioner?_revinclude=*&_revinclude:iterate=*", ["Practitioner/d1"], ["List/l1", *MINE, "Patient/p1"]),  # S04
        ("Patient?_include=*&_revinclude=*", ["Patient/p1"], ["List/l1", *MINE, "Practitioner/d1"]),  # S04
        ("List?_include=List:*", ["List/l1"], ["Patient/p1"]),  # S05
        ("Observation?_sort=status,-_id&_include=Observation:subject", MINE, ["Patient/p1"]),  # S06
        ("Observation?_elements=status&_include=Observation:subject", MINE, ["Patient/p1"]),  # S16
        ("Observation?subject:missing=false", MINE, []),  # S13
        ("Observation?code:not=zzz", MINE, []),  # S13
        ("Patient?_list=l1", ["Patient/p1"], []),  # S14
        ("Patient?_filter=not (_id eq p1)", [], []),  # S14
        ("Observation?_filter=status eq final or subject re Patient/p2", MINE, []),  # S14
        ("Patient?_content=讃岐", ["Patient/p1"], []),  # S14
        ("Patient?_has:Condition:patient:code:text=x", [], []),  # S11
        ("Observation?patient._id=p2", [], []),  # S11
        ("Patient/p1/*", [*MINE, "Patient/p1"], []),
        ("Patient/p2/*", [], []),
        ("Patient/p2/Observation", [], []),
        ("?_type=Patient,Observation,Condition", [*MINE, "Patient/p1"], []),
        ("?_id=p1,p2,e1", ["Patient/p1"], []),
    ],
)  # fmt: skip
async def test_s01_to_s16_what_is_hidden_is_found_by_no_search(limited, address, match, include):
    answer = await limited(address)
    assert (sorted(references(answer)), sorted(references(answer, "include"))) == (match, include)


@pytest.mark.parametrize("address", ["Encounter", "Patient?_has:Encounter:patient:_id=e1", "Observation?encounter.status=finished"])
async def test_s10_a_type_that_the_permit_does_not_name_is_refused_not_filtered(limited, address):
    """Whatever is stored: with a value that nothing has it is the same."""
    for asked in (address, address.replace("e1", "e9").replace("finished", "planned")):
        with pytest.raises(FhirError) as refused:
            await limited(asked)
        assert refused.value.status == 403


@pytest.mark.parametrize(
    "address", ["Observation?", "Observation?_sort=status&", "Patient/p1/*?_type=Observation&", "?_type=Observation,Condition&"]
)
async def test_s09_s12_what_is_hidden_takes_no_place_on_a_page_and_is_not_counted(limited, address):
    for total in ("accurate", "estimate"):
        assert json.loads((await limited(f"{address}_total={total}&_count=2")).text)["total"] == 5
    assert json.loads((await limited(f"{address}_summary=count")).text)["total"] == 5
    sizes, following = [], f"{address}_count=2"
    while following:
        answer = await limited(following)
        sizes.append(len(references(answer)))
        following = link(answer, "next")
    assert sizes == [2, 2, 1]


async def test_s07_s08_a_page_of_another_requester_shows_what_this_one_may_see(limited, client):
    following = link(await client.get("/Observation?_count=3"), "next")
    theirs = references(await client.get(following))
    mine = references(await limited(following))
    assert set(mine) <= set(MINE)
    assert set(theirs) - set(MINE)


async def test_s33_hidden_and_absent_look_the_same_and_take_as_long(limited):
    bodies, seconds = [], []
    for id in ("p2", "nobody"):
        started = time.perf_counter()
        for _ in range(5):
            answer = await limited(f"Patient/{id}/Observation")
        seconds.append(time.perf_counter() - started)
        bodies.append(answer.text.replace(id, "x"))
    assert bodies[0] == bodies[1]
    assert max(seconds) < 20 * min(seconds)
