"""A network of six facilities on the real database, a patient whom three of them know, and forms that she fills in."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fhir_server.app import Registry
from fhir_server.auth.members import FacilityType, network, organization
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.exchange import FhirRequest, Resource
from fhir_server.interactions.writing import prepare
from fhir_server.network.consent_form import adding, checking, publishing, stopping, submitting, waiting
from fhir_server.network.desk import Asked, Desk
from fhir_server.network.matching import operations
from fhir_server.network.terms import Terms
from fhir_server.operations.arguments import arguments
from fhir_server.operations.definition import operation
from fhir_server.search.expression import Has, WithId
from fhir_server.store.permit import Permit
from fhir_server.store.records import Shelf
from fhir_server.store.repository import Put, Repository
from profiles import json
from profiles.definitions import r4

TOKYO = ZoneInfo("Asia/Tokyo")
NOON = datetime(2026, 4, 1, 12, 0, tzinfo=TOKYO)  # a Wednesday
REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
GENDER = "http://hl7.org/fhir/administrative-gender"
FORM = "urn:tsunagi:consent-form"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="

CODES = {"a": "3710000025", "b": "3710000017", "c": "3740000033", "d": "3710000041", "e": "3710000058", "f": "3710000066"}
NAMES = {"a": "診療所A", "b": "病院B", "c": "薬局C", "d": "病院D", "e": "診療所E", "f": "病院F"}
ROLES = {
    "a": {FacilityRole.PROVIDING, FacilityRole.SHARING},
    "b": {FacilityRole.CORE, FacilityRole.PROVIDING, FacilityRole.SHARING},
    "c": {FacilityRole.PROVIDING, FacilityRole.SHARING},
    "d": {FacilityRole.PROVIDING},
    "e": {FacilityRole.REFERRING},
    "f": {FacilityRole.PROVIDING},
}
PERFORMERS = {
    "Consent-add-facility": adding.add_facility,
    "Consent-check-form": checking.check_form,
    "Consent-form-queue": waiting.form_queue,
    "Consent-original-received": checking.original_received,
    "Consent-publish": publishing.publish,
    "Consent-resume": stopping.resume,
    "Consent-stop": stopping.stop,
    "Patient-unlink": operations.unlink,
    "QuestionnaireResponse-submit-consent": submitting.submit_consent,
}


def at(facility: str, role: Role = Role.PHYSICIAN, **facts: Any) -> Requester:
    """Somebody of a facility."""
    person = role not in (Role.SYSTEM, Role.UPLOADER)
    known: dict[str, Any] = {
        "role": role,
        "scope": "user/*.cruds" if person else "system/*.cruds",
        "organization": f"Organization/{facility}",
        "facility_roles": frozenset(each.value for each in ROLES[facility]),
        "fhir_user": "Practitioner/d1" if person else None,
    }
    return Requester("somebody", **{**known, **facts})


SECRETARY = Requester("s1", role=Role.SECRETARIAT, scope="user/*.cruds", fhir_user="Practitioner/s1", organization="Organization/network")
PATIENT = Requester("q1", role=Role.PATIENT, scope="patient/*.cruds", fhir_user="Patient/pa", patient="Patient/pa")


def patient(id: str, facility: str, number: str, **elements: Any) -> Resource:
    """A facility's Patient: 高松次郎, unless told otherwise."""
    told = {
        "resourceType": "Patient",
        "id": id,
        "identifier": [{"system": f"urn:oid:1.2.392.100495.20.3.51.1{CODES[facility]}", "value": number}],
        "name": named("高松 次郎", "タカマツ ジロウ"),
        "telecom": [{"system": "phone", "value": "090-1234-5678", "use": "mobile"}],
        "gender": "male",
        "birthDate": "1958-07-14",
        "address": [{"text": "香川県高松市番町一丁目8番15号", "postalCode": "760-0017"}],
    }
    return {**told, **elements}


def named(kanji: str, kana: str) -> list[Resource]:
    """A name in kanji and in kana."""
    return [
        {"extension": [{"url": REPRESENTATION, "valueCode": code}], "family": text.split()[0], "given": text.split()[1:]}
        for code, text in (("IDE", kanji), ("SYL", kana))
    ]


def code(value: str, system: str = FORM) -> Resource:
    """A chosen answer."""
    return {"valueCoding": {"system": system, "code": value}}


def row(facility: str, number: str | None = None) -> dict[str, Resource]:
    """A row of the table of facilities."""
    answers: dict[str, Resource] = {"facilities.facility": {"valueReference": {"reference": f"Organization/{facility}"}}}
    return {**answers, "facilities.patient-number": {"valueString": number}} if number is not None else answers


ANSWERS: dict[str, Resource] = {
    "facility.date": {"valueDate": "2026-04-01"},
    "facility.name": {"valueString": "診療所A"},
    "facility.responsible": {"valueString": "医師　一子"},
    "facility.same": {"valueBoolean": True},
    "facility.phone": {"valueString": "087-800-0001"},
    "patient.kana": {"valueString": "タカマツ　ジロウ"},
    "patient.name": {"valueString": "高松　次郎"},
    "patient.sex": code("male", GENDER),
    "patient.birth-date": {"valueDate": "1958-07-14"},
    "patient.postal-code": {"valueString": "760-0017"},
    "patient.address": {"valueString": "香川県高松市番町一丁目8番15号"},
    "agreement.decision": code("agree"),
    "agreement.date": {"valueDate": "2026-04-01"},
    "agreement.name": {"valueString": "高松　次郎"},
    "agreement.signer": code("patient"),
    "method.method": code("paper"),
    "method.scan": {"valueAttachment": {"contentType": "image/png", "data": PNG}},
}
ROWS = (row("a", "100"), row("b", "200"), row("c", "300"))
BY_PROXY = {"agreement.signer": code("proxy"), "agreement.name": {"valueString": "高松　花子"}}


def form(*rows: dict[str, Resource], subject: str = "Patient/pa", extension: Any = None, **elements: Any) -> Resource:
    """A filled form of facility A; `answers` change single ones by their linkId, None leaves one out."""
    answers = {id: answer for id, answer in {**ANSWERS, **elements.pop("answers", {})}.items() if answer is not None}
    blocks = ("facility", "patient", "agreement", "method")
    items = {block: _group(block, {id: answer for id, answer in answers.items() if id.startswith(f"{block}.")}) for block in blocks}
    table = [_group("facilities", each) for each in rows or ROWS]
    made: Resource = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "urn:tsunagi:Questionnaire:consent-form",
        "status": "completed",
        "subject": {"reference": subject},
        "item": [items["facility"], items["patient"], *table, items["agreement"], items["method"]],
    }
    return {**made, **({"extension": extension} if extension else {}), **elements}


def _group(link: str, answers: dict[str, Resource]) -> Resource:
    return {"linkId": link, "item": [{"linkId": id, "answer": [answer]} for id, answer in answers.items()]}


@dataclass
class World:
    """The network at work; `moment` is what its clock says."""

    desk: Desk
    moment: list[datetime] = field(default_factory=lambda: [NOON])

    def later(self, **time: float) -> datetime:
        """Let time pass."""
        self.moment[0] += timedelta(**time)
        return self.moment[0]

    async def store(self, facility: str, *resources: Resource) -> None:
        """Store resources as a facility does, in its custody."""
        repository = replace(self.desk.everything, permit=Permit.everything(f"Organization/{facility}"))
        await repository.commit([Put(prepare(each, self.desk.serving)) for each in resources])

    async def ask(self, name: str, id: str | None = None, who: Requester = SECRETARY, **given: Any) -> dict[str, Any]:
        """Ask for an operation; gives what is answered, by parameter. Lists are repeated parameters."""
        definition = next(each for each in r4().networks if each["id"] == name)
        known = operation(definition)
        body = {"resourceType": "Parameters", "parameter": [part for each in given.items() for part in _parts(known.parameters, *each)]}
        request = FhirRequest("operation", name.partition("-")[0], id, body=body, operation=known.code)
        asked = Asked(request, arguments(request, known), who, self.seen(who), self.desk)
        response = await PERFORMERS[name](asked)
        assert response.body is not None
        return answered(json.decode(response.body))

    async def submit(self, response: Resource | None = None, who: Requester | None = None) -> dict[str, Any]:
        """Hand in a form as facility A."""
        return await self.ask("QuestionnaireResponse-submit-consent", who=who or at("a"), form=response or form())

    async def published(self, response: Resource | None = None) -> str:
        """Hand in a form, check and publish it; gives the Consent's id."""
        id = (await self.submit(response))["consent"].partition("/")[2]
        await self.ask("Consent-check-form", id)
        self.later(minutes=5)
        await self.ask("Consent-publish", id)
        return id

    def seen(self, who: Requester) -> Repository:
        """What somebody may see, as far as these tests need it."""
        if who.role is Role.PATIENT:
            own = WithId(((who.fhir_user or "").partition("/")[2],))
            permit = Permit({("read", "Patient"): own, ("search-type", "Patient"): own})
        elif who.role is Role.SECRETARIAT:
            permit = Permit.everything("Organization/network")
        else:
            permit = Permit(otherwise=Has("_custodian", who.organization or ""), custodian=who.organization)
        return replace(self.desk.everything, permit=permit)

    async def read(self, reference: str) -> Resource:
        """A resource as it is stored now."""
        found = await self.desk.read(reference)
        assert found is not None, reference
        return found

    async def letters(self, facility: str) -> list[Resource]:
        """The notices to a facility, the first one first."""
        found = await self.desk.find("Communication", Has("recipient", f"Organization/{facility}"))
        return sorted(found, key=lambda each: str(each["sent"]))


def _parts(parameters: Any, name: str, value: Any) -> list[Resource]:
    kind = parameters[name].type
    made: list[Resource] = []
    for each in value if isinstance(value, list) else [value]:
        if kind == "QuestionnaireResponse":
            made.append({"name": name, "resource": each})
        elif kind == "Reference":
            made.append({"name": name, "valueReference": {"reference": each}})
        else:
            made.append({"name": name, f"value{kind[0].upper()}{kind[1:]}": each})
    return made


def answered(parameters: Resource) -> dict[str, Any]:
    """What was answered, by name: references as their text, states as their code; of repeated ones a list."""
    found: dict[str, Any] = {}
    for each in parameters.get("parameter", ()):
        value = answered({"parameter": each["part"]}) if "part" in each else next(each[key] for key in each if key != "name")
        if isinstance(value, dict) and "reference" in value:
            value = value["reference"]
        if isinstance(value, dict) and "coding" in value:
            value = value["coding"][0]["code"]
        found[each["name"]] = [*found.get(each["name"], []), value] if each["name"] in ("form", "flag") else value
    return found


async def opened(registry: Registry) -> World:
    """The network with its facilities and 高松次郎's three Patients, on a clock of its own."""

    async def record(event: object) -> None:
        """Nothing is audited here: the service does."""

    moment = [NOON]
    everything = Repository(registry.mongo, Permit.everything("Organization/network"), lambda: moment[0])
    shelf = Shelf(registry.mongo.database, clock=lambda: moment[0])
    terms = Terms(portal="https://portal.example/", portal_inside="http://portal.inside.example/")
    world = World(Desk(everything, registry.service.serving, shelf, record, terms), moment)
    facilities = [
        organization(id, CODES[id], name=NAMES[id], kana=None, type=FacilityType.HOSPITAL, roles=ROLES[id]) for id in sorted(CODES)
    ]
    facilities[5]["active"] = False
    await world.store("network", network(), *facilities)
    await world.store("a", patient("pa", "a", "100"))
    await world.store("b", patient("pb", "b", "200"))
    await world.store("c", patient("pc", "c", "300"))
    return world


async def received(world: World, response: Resource | None = None) -> str:
    """Hand in a form; gives the Consent's id."""
    return str((await world.submit(response))["consent"].partition("/")[2])


async def checked(world: World, response: Resource | None = None) -> str:
    """Hand in a form and check it; gives the Consent's id."""
    id = await received(world, response)
    await world.ask("Consent-check-form", id)
    return id
