"""A person at two facilities with everything that can be about her, somebody else, and what is left of her anywhere."""

from base64 import b64encode
from typing import Any

from fhir_server.exchange import Resource
from fhir_server.network.erasure import operations
from fhir_server.store.repository import Delete
from tests.network.emergency.world import S1, S2, World

PERFORMERS = {"Patient-request-erasure": operations.request_erasure, "Patient-approve-erasure": operations.approve_erasure}
ASKED = {"reason": "本人から削除の届出があったため", "form": "R8-0001"}
GOLDEN = "golden-1"
NAME = "高松"
LARGE = b64encode(bytes(range(256)) * 4096).decode()  # a file of its own


def of(patient: str, type: str = "Observation", id: str | None = None, **elements: Any) -> Resource:
    told: dict[str, Any] = {"status": "final", "code": {"text": "x"}, "subject": {"reference": f"Patient/{patient}"}}
    return {"resourceType": type, "id": id or f"{type.lower()}-{patient}", **told, **elements}


def document(patient: str, content: list[Resource]) -> Resource:
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "DocumentReference", "id": f"d-{patient}", "status": "current", "subject": subject, "content": content}


def patient(id: str, *links: str, **elements: Any) -> Resource:
    made = {"resourceType": "Patient", "id": id, "name": [{"text": f"{NAME} {id}"}], **elements}
    linked = [{"other": {"reference": f"Patient/{each}"}, "type": "seealso"} for each in links]
    return {**made, "link": linked} if linked else made


def consent(id: str, patient: str, **elements: Any) -> Resource:
    return {
        "resourceType": "Consent",
        "id": id,
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "policy": [{"uri": "urn:tsunagi:policy:listed"}],
        **elements,
    }


async def store_patients(world: World) -> None:
    await world.store("network", patient(GOLDEN), patient("golden-0", active=False))
    await world.store("a", patient("pa", GOLDEN), patient("other"), of("pa"), of("other"))
    await world.store("b", patient("pb", GOLDEN), of("pb"))
    items = [("source", GOLDEN), ("alternate", "pa"), ("alternate", "pb")]
    linkage = [{"type": type, "resource": {"reference": f"Patient/{each}"}} for type, each in items]
    await world.store(
        "network",
        {"resourceType": "Linkage", "id": GOLDEN, "active": True, "item": linkage},
        consent("of-her", GOLDEN, performer=[{"reference": "Patient/pa"}]),
        consent("of-pa", "pa"),
    )


async def erased(world: World, id: str) -> dict[str, Any]:
    await world.ask("Patient-request-erasure", S1, id, performers=PERFORMERS, **ASKED)
    return await world.ask("Patient-approve-erasure", S2, id, performers=PERFORMERS)


async def delete(world: World, *references: str) -> None:
    await world.desk.everything.commit([Delete(*each.split("/")) for each in references])


async def traces(world: World, *words: str) -> list[str]:
    """Every stored document, of whatever collection, that holds one of the words anywhere; the erasures' own records left out."""
    database = world.desk.everything.mongo.database
    found = []
    for name in await database.list_collection_names():
        if name in ("erasure", "mails", "system.views"):
            continue
        async for document in database[name].find({}):
            text = repr(document) + " ".join(bytes(value).decode("utf-8", "replace") for value in _bytes(document))
            found += [f"{name}/{document['_id']}" for word in words if word in text]
    return found


def _bytes(value: Any) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for inner in values for each in _bytes(inner)]
