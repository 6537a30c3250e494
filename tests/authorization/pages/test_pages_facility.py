"""For which facility a person works."""

from tests.authorization.pages.network import works


async def test_f085_a_physician_at_two_facilities_switches_without_a_second_id(network):
    await network.account("hanako", "Practitioner/hanako")
    browser = network.browser()
    assert await browser.log_in("hanako") == "/auth/facility"
    page = (await browser.open("facility")).text
    assert "香川中央病院" in page
    assert "さぬき診療所" in page
    await browser.send("facility", choice="Organization/kagawa|physician")
    assert browser.to == "/auth/account"
    assert "香川中央病院 ▾" in (await browser.follow()).text
    await browser.open("facility")
    assert 'aria-current="true"' in browser.page.text
    await browser.send("facility", choice="Organization/sanuki|physician")
    assert "さぬき診療所 ▾" in (await browser.follow()).text


async def test_f085_the_header_names_facility_and_person_and_the_footer_contact_and_version(network):
    await network.account()
    browser = network.browser()
    await browser.log_in()
    page = (await browser.follow()).text
    for part in ("香川中央病院 ▾", "丸亀 太郎 ▾", "ログアウト", "お問い合わせ：事務局 087-000-0000", "Ver 1.0"):
        assert part in page


async def test_nobody_works_for_a_facility_that_is_not_hers(network):
    await network.account("hanako", "Practitioner/hanako")
    browser = network.browser()
    await browser.log_in("hanako")
    await browser.open("facility")
    for choice in ("Organization/other|physician", "Organization/kagawa|secretariat", "", "|"):
        await browser.send("facility", choice=choice)
        assert browser.page.status_code == 422


async def test_who_works_at_one_facility_is_not_asked(network):
    await network.account()
    browser = network.browser()
    asked = await network.asks()
    assert await browser.log_in(authorization=asked) == f"/auth/patient?authorization={asked}"


async def test_f104_who_has_left_the_chosen_facility_must_choose_again(network):
    await network.account("hanako", "Practitioner/hanako")
    browser = network.browser()
    asked = await network.asks()
    await browser.log_in("hanako", authorization=asked)
    await browser.open(f"facility?authorization={asked}")
    await browser.send(f"facility?authorization={asked}", choice="Organization/sanuki|physician")
    left = {**works("hanako", "sanuki"), "active": False}
    await network.store(left)
    await browser.open(f"patient?authorization={asked}")
    assert "香川中央病院 ▾" in browser.page.text  # the only one left


async def test_a_patient_has_no_facility_to_choose(network):
    await network.account("sakura", "Patient/p1")
    browser = network.browser()
    await browser.log_in("sakura")
    await browser.open("facility")
    assert browser.to == "/auth/account"
