"""A network with people who log in and apps that are launched, stored as its operator's commands store it."""

import asyncio
import json
from dataclasses import dataclass

import msgspec

from fhir_server.app import open_registry
from fhir_server.app.doors import administration_of
from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.auth.members import FacilityType
from fhir_server.auth.registrations import Draft
from fhir_server.auth.requester import Local
from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.authorization import viewer
from fhir_server.authorization.administration.people import Newcomer, Work
from fhir_server.exchange import FhirRequest
from fhir_server.settings import Settings
from profiles.json import decode
from tests.access.sharing import consent
from tests.authorization.viewing import AT_THE_CLINIC, CLINIC, GOLDEN, HOSPITAL, REGIONAL, SOMEBODY, resources, without
from tests.authorization.viewing import PATIENT as AT_THE_HOSPITAL

PASSWORD = "Yashima7seto!"
OTHERS = {"Patient/jiro-clinic", "Patient/somebody"}
ROLES = (FacilityRole.PROVIDING, FacilityRole.SHARING, FacilityRole.VIEWING)
VIEWER = Draft(
    id=viewer.CLIENT,
    name=viewer.NAME,
    method="none",
    scope=viewer.SCOPE,
)


@dataclass(frozen=True)
class Person:
    """Somebody who logs in."""

    login: str
    name: str
    kana: str
    works: tuple[tuple[str, Role], ...] = ()
    patient: str | None = None


DOCTOR = Person("A1", "医師 一子", "イシ イチコ", ((CLINIC, Role.PHYSICIAN), (HOSPITAL, Role.PHYSICIAN)))
CLERK = Person("K1", "受付 花", "ウケツケ ハナ", ((HOSPITAL, Role.CLERK),))
PATIENT = Person("Q1", "", "", patient="Patient/jiro")
PEOPLE = (DOCTOR, CLERK, PATIENT)


def stored(uri, settings, *drafts):
    """Store the network; `drafts` are further clients, each (Draft, secret or None)."""
    asyncio.run(_stored(uri, settings, drafts))


async def _stored(uri, settings: Settings, drafts):
    async with open_registry(settings, uri) as registry:
        administration = administration_of(settings, registry)
        places = {}
        for code, name, type in ((HOSPITAL, "讃岐中央病院", FacilityType.HOSPITAL), (CLINIC, "高松内科クリニック", FacilityType.CLINIC)):
            places[code] = (await administration.facilities.add(code, name=name, kana=None, type=type, roles=ROLES)).organization
        await _store(registry, places[HOSPITAL], places[CLINIC])
        for person in PEOPLE:
            await _account(administration, registry, person)
        root = settings.issuer
        own = msgspec.structs.replace(VIEWER, redirect_uris=(viewer.redirect_uri(root),), launch_uri=viewer.launch_uri(root))
        for draft, secret in ((own, None), *drafts):
            await administration.clients.add(draft, secret)


async def _store(registry, hospital, clinic):
    """Each facility's own in its custody, its Patients linked by the network, which has the patient's consent for both."""
    own = [each for each in resources() if each["resourceType"] != "Organization" and each is not REGIONAL]
    at_the_clinic = [each for each in own if each in (AT_THE_CLINIC, SOMEBODY) or each.get("subject", {}).get("reference") in OTHERS]
    await registry.network.desk.store(REGIONAL)
    for place, some in ((clinic, at_the_clinic), (hospital, [each for each in own if each not in at_the_clinic])):
        told = [{**each, "custodian": {"reference": clinic}} if "custodian" in each else without(each, "link") for each in some]
        entries = [_entry(each) for each in told]
        bundle = decode(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode())
        await registry.service.perform(FhirRequest("transaction", body=bundle), Local("local", organization=place))
    facilities = [{"reference": place} for place in (hospital, clinic)]
    actors = [{**consent()["provision"]["actor"][0], "reference": each} for each in facilities]
    agreed = consent(organization=facilities[:1], patient={"reference": f"Patient/{GOLDEN}"})
    await registry.network.desk.store(AT_THE_HOSPITAL, AT_THE_CLINIC)
    await registry.network.desk.store({**agreed, "provision": {**agreed["provision"], "actor": actors}})


def _entry(resource):
    return {"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}


async def _account(administration, registry, person):
    works = tuple(Work(role, facility) for facility, role in person.works)
    account, _ = await administration.people.add(Newcomer(person.login, person.name, person.kana or None, None, works, person.patient))
    hashed = await registry.identity.people.passwords.hash(PASSWORD)

    def settled(account):
        return msgspec.structs.replace(account, password=hashed, changed=registry.identity.shelf.clock(), must_change=False)

    await registry.identity.shelf.records(ACCOUNTS).change(account.id, settled)
