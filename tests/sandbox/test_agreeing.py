"""The sandbox's identities and consents: made by the network's own operations, once, and where the fixture has them."""

from collections.abc import AsyncIterator

import pytest

from fhir_server.app import Registry, open_registry
from fhir_server.auth.requester import LOCAL, Local
from fhir_server.authorization.administration.resources import Resources
from fhir_server.network.consent_form.form import read
from fhir_server.network.consent_form.states import TASKS, state_of, times
from fhir_server.network.matching.persons import REGIONAL_ID, golden_of
from fhir_server.sandbox import people
from fhir_server.sandbox.agreeing import Agreeing
from fhir_server.sandbox.forms import FORMS, form
from fhir_server.sandbox.linked import Identities
from fhir_server.sandbox.network import AGREEMENTS, BY_KEY, PATIENTS
from fhir_server.search.expression import Has, HasPrefix
from fhir_server.settings import Settings
from fhir_server.ssmix2.facility import organization_id, patient_id
from tests.rest.served import patient

STATES = {
    "takamatsu": "published", "nayose": "matching", "ichitaro": "facility-added", "twin_first": "published", "child": "published",
    "withdrawn": "stopped", "paused": "published", "untold": "published", "left": "published",
}  # fmt: skip


@pytest.mark.parametrize("agreement", AGREEMENTS, ids=lambda each: each.patient)
def test_f066_every_form_is_filled_in_as_the_network_wants_it(agreement):
    made = form(agreement, sorted(agreement.facilities), "Patient/1", organization_id)
    filled, issues = read(made)
    assert not issues
    assert filled.by_proxy == (agreement.patient == "child")
    assert [row.number for row in filled.rows] == [BY_KEY[agreement.patient].numbers[code] for code in sorted(agreement.facilities)]


@pytest.fixture
async def registry(mongodb_uri: str, database_name: str) -> AsyncIterator[Registry]:
    """The fixture's facilities and people, and the Patients that an import of three facilities leaves."""
    async with open_registry(Settings(database=database_name, base_url="http://tsunagi.example/fhir", sandbox=True), mongodb_uri) as found:
        await Resources(lambda request: found.service.perform(request, LOCAL)).put(*people.resources(organization_id))
        for facility in people.IMPORTED:
            own = Local("local", organization=f"Organization/{organization_id(facility.code)}")
            here = [each for each in PATIENTS if facility.code in each.numbers]
            resources = Resources(lambda request, own=own: found.service.perform(request, own))
            await resources.put(*(imported(member, facility.code) for member in here))
        yield found


def imported(member, code):
    """A facility's Patient as an import has it, as far as matching looks at it."""
    named = [
        {"family": member.person.name.family, "given": [member.person.name.given]},
        {"family": member.person.name.family_kana, "given": [member.person.name.given_kana]},
    ]
    kanji_and_kana = [
        {**each, "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": kind}]}
        for each, kind in zip(named, ("IDE", "SYL"), strict=True)
    ]
    number = {"system": f"urn:oid:1.2.392.100495.20.3.51.1{code}", "value": member.numbers[code]}
    return patient(
        id=patient_id(code, member.numbers[code]),
        identifier=[number],
        name=kanji_and_kana,
        gender={"M": "male", "F": "female"}[member.person.sex],
        birthDate=member.person.birth.isoformat(),
        address=[{"text": member.person.address.text}],
    )


async def seeded(registry):
    identities = Identities(registry.network.desk, patient_id)
    await identities.link()
    await Agreeing(registry.service, identities, organization_id).agree()


async def tasks(registry):
    """The form's Task of each patient, by the patient's key."""
    desk = registry.network.desk
    forms = {
        each["id"]: each["identifier"]["value"] for each in await desk.find("QuestionnaireResponse", HasPrefix("identifier", f"{FORMS}|"))
    }
    found = await desk.find("Task", Has("code", f"{TASKS}|publish-consent"))
    return {forms[task["id"]]: task for task in found if task["id"] in forms}


async def test_d4_d5_d7_d8_d11_every_consent_is_where_the_fixture_has_it_and_a_second_start_changes_nothing(registry):
    await seeded(registry)
    first = {key: (str(state_of(task)), task["meta"]["versionId"]) for key, task in (await tasks(registry)).items()}
    assert {key: state for key, (state, _) in first.items()} == STATES
    assert [str(state) for state, _ in times((await tasks(registry))["paused"])].count("paused") == 1
    goldens = await registry.network.desk.find("Patient", Has("gender", "male"))
    linked = {golden_of(each) for each in goldens} - {None}
    await seeded(registry)
    assert {key: (str(state_of(task)), task["meta"]["versionId"]) for key, task in (await tasks(registry)).items()} == first
    assert {golden_of(each) for each in await registry.network.desk.find("Patient", Has("gender", "male"))} - {None} == linked


async def test_f089_d8_who_was_matched_has_the_fixtures_number_and_who_was_deleted_has_none(registry):
    await seeded(registry)
    for member in PATIENTS:
        for code in {each.code for each in people.IMPORTED} & set(member.numbers):
            golden = golden_of(await registry.network.desk.read(f"Patient/{patient_id(code, member.numbers[code])}"))
            known = await registry.network.desk.read(golden) if golden is not None else None
            numbers = [each["value"] for each in known["identifier"] if each["system"] == REGIONAL_ID] if known is not None else [None]
            assert numbers == [None if member.key == "deleted" else member.regional_id], (member.key, code)
