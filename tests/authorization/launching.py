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
from fhir_server.auth.requester import LOCAL
from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.authorization import viewer
from fhir_server.authorization.administration.people import Newcomer, Work
from fhir_server.exchange import FhirRequest
from fhir_server.settings import Settings
from profiles.json import decode
from tests.authorization.viewing import CLINIC, HOSPITAL, transaction

PASSWORD = "Yashima7seto!"
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
    asyncio.run(_store(uri, settings, drafts))


async def _store(uri, settings: Settings, drafts):
    async with open_registry(settings, uri) as registry:
        administration = administration_of(settings, registry)
        clinic = None
        for code, name, type in ((HOSPITAL, "讃岐中央病院", FacilityType.HOSPITAL), (CLINIC, "高松内科クリニック", FacilityType.CLINIC)):
            clinic = await administration.facilities.add(code, name=name, kana=None, type=type, roles=ROLES)
        await registry.service.perform(FhirRequest("transaction", body=decode(json.dumps(_bundle(clinic.organization)).encode())), LOCAL)
        for person in PEOPLE:
            await _account(administration, registry, person)
        root = settings.issuer
        own = msgspec.structs.replace(VIEWER, redirect_uris=(viewer.redirect_uri(root),), launch_uri=viewer.launch_uri(root))
        for draft, secret in ((own, None), *drafts):
            await administration.clients.add(draft, secret)


def _bundle(clinic):
    bundle = transaction()
    bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] != "Organization"]
    for each in bundle["entry"]:
        if "custodian" in each["resource"]:
            each["resource"]["custodian"] = {"reference": clinic}
    return bundle


async def _account(administration, registry, person):
    works = tuple(Work(role, facility) for facility, role in person.works)
    account, _ = await administration.people.add(Newcomer(person.login, person.name, person.kana or None, None, works, person.patient))
    hashed = await registry.identity.people.passwords.hash(PASSWORD)

    def settled(account):
        return msgspec.structs.replace(account, password=hashed, changed=registry.identity.shelf.clock(), must_change=False)

    await registry.identity.shelf.records(ACCOUNTS).change(account.id, settled)
