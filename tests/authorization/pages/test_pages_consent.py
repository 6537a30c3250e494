"""What an app is allowed."""

from urllib.parse import parse_qs, urlsplit

import pytest

from fhir_server.auth.oauth.client_authentication import Presented
from fhir_server.auth.oauth.launches import Context
from tests.authorization.pages.network import SCOPE, VERIFIER


@pytest.fixture
async def taro(network):
    """A physician who is logged in."""
    await network.account()
    browser = network.browser()
    await browser.log_in()
    return browser


async def allowed(network, browser):
    """Redeem the code that the person left with; give what the app gets."""
    code = parse_qs(urlsplit(browser.to).query)["code"][0]
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": browser.to.partition("?")[0],
        "client_id": "viewer",
        "code_verifier": VERIFIER,
    }
    return await network.server.token(Presented(fields, None, None))


async def test_what_is_unchecked_is_not_allowed_and_what_is_required_is(network, taro):
    path = f"consent?authorization={await network.asks()}&patient=p1"
    page = (await taro.open(path)).text
    assert "検査グラフ &lt;b&gt;" in page
    assert "処方を見る・探す" in page
    assert "選んだ患者の診療情報" in page
    assert "坂出 桜" in page
    await taro.send(path, decision="allow", scope=["patient/Observation.rs", "patient/Condition.rs", "system/*.cruds"])
    token = await allowed(network, taro)
    assert set(token["scope"].split()) == {"launch/patient", "openid", "patient/Observation.rs"}
    assert token["patient"] == "p1"
    assert "refresh_token" not in token


async def test_an_app_with_scopes_of_v1_is_told_scopes_of_v1(network, taro):
    await network.clients.put(network.client(scope="launch/patient patient/*.read patient/Observation.write"))
    path = f"consent?authorization={await network.asks('launch/patient patient/*.read')}&patient=p1"
    assert "すべての種類の診療情報を見る・探す" in (await taro.open(path)).text
    await taro.send(path, decision="allow", scope=["patient/*.read"])
    assert "patient/*.read" in (await allowed(network, taro))["scope"].split()


async def test_scopes_that_write_are_marked_and_granular_ones_say_their_limits(network, taro):
    scope = "launch/patient patient/Observation.cud patient/Observation.rs?category=laboratory"
    await network.clients.put(network.client(scope="launch/patient patient/Observation.cruds"))
    path = f"consent?authorization={await network.asks(scope)}&patient=p1"
    page = (await taro.open(path)).text
    assert "書きこみ" in page
    assert "次に限ります：category = laboratory" in page
    english = (await taro.open(f"{path}&lang=en")).text
    assert "Create, change and delete laboratory results" in english
    assert "Only where category = laboratory" in english


async def test_who_denies_leaves_with_access_denied(network, taro):
    path = f"consent?authorization={await network.asks()}&patient=p1"
    await taro.open(path)
    await taro.send(path, decision="deny", scope=SCOPE.split())
    assert parse_qs(urlsplit(taro.to).query)["error"] == ["access_denied"]
    await taro.open(path)
    assert taro.page.status_code == 400
    assert "要求が無効になりました" in taro.page.text


@pytest.mark.parametrize("decision", ["", "yes", "ALLOW"])
async def test_nothing_is_allowed_without_a_clear_yes(network, taro, decision):
    path = f"consent?authorization={await network.asks()}&patient=p1"
    await taro.open(path)
    await taro.send(path, decision=decision, scope=SCOPE.split())
    assert taro.page.status_code == 422


async def test_without_a_patient_the_consent_page_leads_to_the_picker(network, taro):
    asked = await network.asks()
    await taro.open(f"consent?authorization={asked}")
    assert taro.to == f"/auth/patient?authorization={asked}"
    csrf = (await taro.open("account")) and taro.csrf
    await taro.send(f"consent?authorization={asked}&patient=hidden", csrf=csrf, decision="allow", scope=SCOPE.split())
    assert taro.to == f"/auth/patient?authorization={asked}"


@pytest.mark.parametrize("id", ["unknown", "", "../x", "a b", "x" * 200])
async def test_an_unknown_request_is_said_to_be_over(network, taro, id):
    await taro.client.get("/auth/consent", params={"authorization": id})
    await taro.open(f"consent?authorization={id}")
    assert taro.page.status_code == 400
    assert "はじめからやり直してください" in taro.page.text


async def test_a_request_is_over_after_ten_minutes(network, taro, clock):
    path = f"consent?authorization={await network.asks()}&patient=p1"
    for _ in range(3):
        assert (await taro.open(path)).status_code == 200
        clock.shift(299)
    assert (await taro.open(path)).status_code == 400


async def test_the_policy_of_the_consent_page_names_where_its_form_leads_and_no_other_page_does(network, taro):
    asked = await network.asks()
    await taro.open(f"consent?authorization={asked}&patient=p1")
    assert "form-action 'self' https://app.example.org;" in taro.page.headers["content-security-policy"]
    await taro.open(f"patient?authorization={asked}")
    assert "form-action 'self';" in taro.page.headers["content-security-policy"]


async def test_a_patient_allows_an_app_to_see_her_own_data_and_is_asked_for_no_patient(network):
    await network.account("sakura", "Patient/p1")
    browser = network.browser()
    asked = await network.asks()
    assert await browser.log_in("sakura", authorization=asked) == f"/auth/consent?authorization={asked}"
    await browser.follow()
    assert "坂出 桜" in browser.page.text
    await browser.open(f"consent?authorization={asked}&patient=p2")
    assert "坂出 梅子" not in browser.page.text
    await browser.send(f"consent?authorization={asked}&patient=p2", decision="allow", scope=SCOPE.split())
    assert (await allowed(network, browser))["patient"] == "p1"


async def test_the_patient_of_an_ehr_launch_is_shown_and_cannot_be_replaced(network, taro):
    launch = await network.server.launches.open("ehr", Context(patient="Patient/p2"))
    path = f"consent?authorization={await network.asks('launch patient/Patient.rs', launch=launch)}&patient=p1"
    page = (await taro.open(path)).text
    assert "坂出 梅子" in page
    assert "別の患者を選ぶ" not in page
    await taro.send(path, decision="allow", scope=["patient/Patient.rs"])
    assert (await allowed(network, taro))["patient"] == "p2"


async def test_what_the_app_gets_is_for_the_facility_chosen(network, taro):
    path = f"consent?authorization={await network.asks()}&patient=p1"
    await taro.open(path)
    await taro.send(path, decision="allow", scope=SCOPE.split())
    verified = await network.registry.identity.tokens.verify((await allowed(network, taro))["access_token"])
    assert verified.requester.organization == "Organization/kagawa"
    assert verified.requester.role == "physician"


async def test_a_patient_of_an_ehr_launch_whom_the_person_may_not_see_is_not_shown(network, taro):
    launch = await network.server.launches.open("ehr", Context(patient="Patient/unknown"))
    page = await taro.open(f"consent?authorization={await network.asks('launch patient/Patient.rs', launch=launch)}")
    assert page.status_code == 200
    assert "あなたの権限では表示できません" in page.text
