"""An EHR launches an app: what it has on its screen arrives with the token."""

import pytest

from fhir_server.auth.oauth.client_authentication import Presented
from fhir_server.auth.oauth.launches import Context
from tests.auth.oauth.world import answered, basic, refusal

SCOPE = "launch openid patient/*.rs"


@pytest.fixture
async def ehr(world):
    """An EHR with a shared secret, which may launch apps."""
    secret = await world.passwords.hash("s")
    await world.add_system("ehr", method="client_secret_basic", secret=secret, launches=True)

    async def launch(**fields):
        return await world.server.launch(Presented(fields, basic("ehr", "s")))

    return launch


async def begun(world, launch, **changed):
    return await world.begin(**{"scope": SCOPE, "launch": launch, **changed})


async def test_patient_encounter_and_intent_arrive_with_the_token(world, ehr):
    launch = await ehr(patient="Patient/p1", encounter="Encounter/e1", intent="order-review", need_patient_banner="false")
    request = await begun(world, launch)
    assert not request.needs_patient
    tokens = await world.exchange(
        answered(await world.server.requests.finish(request.id, await world.add_session(), None, request.scope))["code"]
    )
    assert (tokens["patient"], tokens["encounter"], tokens["intent"], tokens["need_patient_banner"]) == ("p1", "e1", "order-review", False)
    assert (await world.tokens.verify(tokens["access_token"])).requester.patient == "Patient/p1"


async def test_a_launch_works_once_and_for_ten_minutes(world, ehr):
    launch = await ehr(patient="p1")
    await begun(world, launch)
    assert (await refusal(begun(world, launch))).error == "invalid_request"
    late = await ehr(patient="p1")
    world.clock.shift(minutes=10)
    assert (await refusal(begun(world, late))).error == "invalid_request"


async def test_a_launch_for_one_app_opens_no_other_and_is_not_used_up_by_it(world, ehr):
    await world.add_client("other")
    launch = await ehr(patient="p1", client="other")
    assert (await refusal(begun(world, launch))).error == "invalid_request"
    assert (await begun(world, launch, client_id="other")).context.patient == "Patient/p1"


async def test_the_patient_of_the_ehr_cannot_be_exchanged_at_the_picker(world, ehr):
    request = await begun(world, await ehr(patient="p1"))
    session = await world.add_session()
    assert (await refusal(world.server.requests.finish(request.id, session, "Patient/p2", request.scope))).error == "invalid_request"


async def test_a_launch_for_one_person_is_hers(world, ehr):
    request = await begun(world, await ehr(patient="p1", user="somebody"))
    session = await world.add_session()
    assert request.needs_login(session)
    assert (await refusal(world.server.requests.finish(request.id, session, None, request.scope))).error == "access_denied"


async def test_a_launch_needs_its_scope(world, ehr):
    assert (await refusal(begun(world, await ehr(patient="p1"), scope="openid launch/patient patient/*.rs"))).error == "invalid_scope"


async def test_a_launch_without_patient_lets_one_be_chosen(world, ehr):
    assert (await begun(world, await ehr())).needs_patient


async def test_with_a_persons_token_the_launch_is_hers(world):
    await world.change_client("app", launches=True)
    tokens = await world.exchange(await world.code(scope="openid user/*.rs"))
    bearer = f"Bearer {tokens['access_token']}"
    launch = await world.server.launch(Presented({"patient": "p1"}, bearer))
    assert (await begun(world, launch)).account == "dr"
    error = await refusal(world.server.launch(Presented({"patient": "p1", "user": "boss"}, bearer)))
    assert error.error == "invalid_request"


async def test_who_is_not_registered_to_launch_does_not(world):
    tokens = await world.exchange(await world.code())
    error = await refusal(world.server.launch(Presented({"patient": "p1"}, f"Bearer {tokens['access_token']}")))
    assert error.error == "unauthorized_client"
    assert (await refusal(world.server.launch(Presented({"patient": "p1"}, "Bearer x")))).error == "invalid_token"
    await world.change_client("app", launches=True)
    assert (await refusal(world.server.launch(Presented({"client_id": "app"})))).error == "invalid_client", "a name proves nothing"
    assert (await refusal(world.server.launch(Presented({})))).error == "invalid_client"


async def test_s35_an_id_token_is_no_access_token(world):
    await world.change_client("app", launches=True)
    tokens = await world.exchange(await world.code())
    assert (await refusal(world.server.launch(Presented({}, f"Bearer {tokens['id_token']}")))).error == "invalid_token"


@pytest.mark.parametrize(
    "fields",
    [{"patient": "Practitioner/1"}, {"patient": "../x"}, {"encounter": "Patient/1"}, {"intent": "two words"}, {"purpose": "TREAT"}],
)
async def test_what_a_launch_cannot_be_about_is_refused(world, ehr, fields):
    error = await refusal(ehr(**fields))
    assert error.error == "invalid_request"
    assert next(iter(fields)) in error.description


async def test_a_launcher_inside_the_server_may_open_one_too(world):
    launch = await world.server.launches.open("launcher", Context(patient="Patient/p1"), client="app", account="dr")
    request = await begun(world, launch)
    assert (request.context.patient, request.account) == ("Patient/p1", "dr")
