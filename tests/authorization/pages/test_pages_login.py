"""The login page: what it says to whom, and where it leads."""

from tests.authorization.pages.network import GOOD


async def test_the_way_from_an_app_through_login_facility_and_patient_to_consent(network):
    await network.account("hanako", "Practitioner/hanako")
    asked = await network.asks()
    browser = network.browser()
    assert await browser.log_in("hanako", authorization=asked) == f"/auth/facility?authorization={asked}"
    await browser.follow()
    await browser.send(f"facility?authorization={asked}", choice="Organization/sanuki|physician")
    assert browser.to == f"/auth/patient?authorization={asked}"
    await browser.follow()
    await browser.send(f"patient?authorization={asked}", text="さかいで", birth="S41/06/06")
    assert "坂出 桜" in browser.page.text
    assert "1966年6月6日（昭和41年）" in browser.page.text
    assert "坂出 梅子" not in browser.page.text
    await browser.send(f"patient?authorization={asked}", choose="Patient/p1")
    assert browser.to == f"/auth/consent?authorization={asked}&patient=p1"
    await browser.follow()
    await browser.send(f"consent?authorization={asked}&patient=p1", scope=["offline_access", "patient/Observation.rs"], decision="allow")
    assert browser.page.status_code == 303
    assert browser.to.startswith("https://app.example.org/back?code=")
    assert "state=" + "s" * 32 in browser.to


async def test_who_is_logged_in_already_goes_on(network):
    await network.account()
    browser = network.browser()
    assert await browser.log_in(password=GOOD) == "/auth/account"
    await browser.open("login")
    assert browser.to == "/auth/account"
