"""The fixture's facilities and people at work: storages uploaded, and everybody asking over HTTP with a token of his own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import httpx

from fhir_server.app import Application, create_app
from fhir_server.auth.members import NETWORK
from fhir_server.auth.requester import LOCAL, Local, Requester
from fhir_server.auth.roles import Role
from fhir_server.authorization.administration.resources import Resources
from fhir_server.sandbox import people
from fhir_server.sandbox.facilities import CLINIC_A, HOSPITAL_B, HOSPITAL_D, PHARMACY_C, Facility
from fhir_server.sandbox.forms import form
from fhir_server.sandbox.hospital import write_tree
from fhir_server.sandbox.network import AGREEMENTS, BY_KEY
from fhir_server.service import Service
from fhir_server.settings import Settings
from fhir_server.ssmix2.aside import Aside
from fhir_server.ssmix2.facility import organization_id, patient_id
from fhir_server.ssmix2.pipeline import open_pipeline
from fhir_server.ssmix2.tree import patient_folders
from tests.access.secured import BASE, token

PLACES = {"A": CLINIC_A, "B": HOSPITAL_B, "C": PHARMACY_C, "D": HOSPITAL_D}
WORKERS = {"A": "a1", "B": "b1", "C": "c1", "D": "d1"}
JIRO = BY_KEY["takamatsu"]


def organization(letter: str) -> str:
    """The Organization of a facility."""
    return f"Organization/{organization_id(PLACES[letter].code)}"


def jiro(letter: str) -> str:
    """高松次郎's Patient at a facility."""
    code = PLACES[letter].code
    return f"Patient/{patient_id(code, JIRO.numbers[code])}"


def somebody(login: str, place: Facility | None = None, purpose: str = "TREAT") -> Requester:
    """A person of the fixture, where she works; the patient is the one of hospital B."""
    known = next(each for each in people.logins() if each.id == login)
    user = people.fhir_user(known, patient_id)
    return Requester(
        login,
        client="viewer",
        role=known.role,
        scope="patient/*.cruds" if known.role is Role.PATIENT else "user/*.cruds",
        organization=f"Organization/{organization_id(place.code)}" if place is not None else None if known.patient else NETWORK,
        facility=place.code if place is not None else None,
        facility_roles=place.roles if place is not None else frozenset(),
        fhir_user=user,
        patient=user if known.patient else None,
        purpose=purpose,
    )


def at(letter: str, purpose: str = "TREAT") -> Requester:
    """Somebody who treats patients at a facility."""
    return somebody(WORKERS[letter], PLACES[letter], purpose)


S1, S2, Q1 = somebody("s1"), somebody("s2"), somebody("q1")


@dataclass
class Network:
    """The network over HTTP; `mails` is where its e-mails are files."""

    app: Application
    client: httpx.AsyncClient
    mails: Path

    @property
    def service(self) -> Service:
        """The one door."""
        assert self.app.registry is not None
        return self.app.registry.service

    async def get(self, who: Requester, address: str, status: int = 200) -> dict[str, Any]:
        """Ask as somebody; gives what is answered with this status."""
        return await self.asked(who, "GET", address, status)

    async def ask(self, who: Requester, address: str, status: int = 200, **given: tuple[str, Any]) -> dict[str, Any]:
        """Ask for an operation, each argument under its name: (element, value); gives what is answered by its name."""
        parts = [{"name": name, element: value} for name, (element, value) in given.items()]
        sent = {"resourceType": "Parameters", **({"parameter": parts} if parts else {})}
        answer = await self.asked(who, "POST", address, status, json=sent)
        return {each["name"]: next(value for key, value in each.items() if key != "name") for each in answer.get("parameter", ())}

    async def asked(self, who: Requester, method: str, address: str, status: int, **sent: Any) -> dict[str, Any]:
        """Ask as somebody with a token of his own, for the purpose that he has declared."""
        named = replace(who, purpose="TREAT")
        purpose = {"Purpose-Of-Use": who.purpose} if who.purpose != "TREAT" else {}
        headers = {"Authorization": f"Bearer {await token(self.app, named, 10)}", **purpose}
        response = await self.client.request(method, address, headers=headers, **sent)
        assert response.status_code == status, (address, response.text)
        found: dict[str, Any] = response.json()
        return found

    async def results(self, who: Requester, of: str) -> set[str]:
        """At which facilities the laboratory results are that somebody finds of a Patient and can read: their letters."""
        found = await self.get(who, f"/Observation?patient={of}&category=laboratory&_count=1000&_total=accurate")
        assert found["total"] == len(found.get("entry", ()))
        letters = {self.letter(each["resource"]) for each in found.get("entry", ())}
        for letter in letters:
            one = next(each["resource"] for each in found["entry"] if self.letter(each["resource"]) == letter)
            await self.get(who, f"/Observation/{one['id']}")
        return letters

    @staticmethod
    def letter(resource: dict[str, Any]) -> str:
        """Whose it is, by the tag that the server sets."""
        code = next(each["code"] for each in resource["meta"]["tag"] if each["system"] == "urn:tsunagi:custodian")
        return next((letter for letter in PLACES if organization(letter) == f"Organization/{code}"), "network")

    async def posted(self) -> list[tuple[str, str]]:
        """Let the courier go once; gives every e-mail there is by now: to whom, and its text."""
        assert self.app.registry is not None
        courier = self.app.registry.network.courier
        assert courier is not None
        await courier.deliver()
        mails = [message_from_bytes(path.read_bytes()) for path in sorted(self.mails.glob("*.eml"))]
        return [(str(each["To"]), f"{each['Subject']}\n{each.get_payload(decode=True).decode()}") for each in mails]


async def opened(uri: str, database: str, directory: Path) -> AsyncIterator[Network]:
    """The network of the fixture on an empty database: its facilities and people, and nothing of any patient."""
    mails = directory / "mails"
    settings = Settings(database=database, base_url=BASE, sandbox=True, smtp_url=f"file://{mails}", portal_url="https://portal.example/")
    app = create_app(settings, uri)
    async with (
        app.outer.router.lifespan_context(app.outer),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client,
    ):
        network = Network(app, client, mails)
        await Resources(lambda request: network.service.perform(request, LOCAL)).put(*people.resources(organization_id))
        yield network


async def upload(network: Network, letter: str, directory: Path, files: int) -> int:
    """Write a storage of one patient, and import it as the facility does; gives how many files were imported."""
    place = PLACES[letter]
    write_tree(directory, place, 1, 20260401, files)
    root, importer = directory / place.code, Local("local", organization=organization(letter), facility=place.code)
    pipeline = open_pipeline(
        lambda request: network.service.perform(request, importer), root, place.code, Aside(directory, place.code), strict=False
    )
    states = [each.state for folder in patient_folders(root) async for some in pipeline.import_folder(folder) for each in some]
    assert set(states) <= {"imported", "unmapped"}
    return states.count("imported")


def signed(letters: str = "BAC") -> dict[str, Any]:
    """The form that 高松次郎 signed: the first facility explained it and hands it in."""
    agreement = next(each for each in AGREEMENTS if each.patient == "takamatsu")
    return form(agreement, [PLACES[letter].code for letter in letters], jiro(letters[0]), organization_id)
