"""The decision vectors C01-C07, C17-C23, C30-C36 and C40 of CONSENT.md through the whole server: who, when, what for."""

import pytest
import time_machine

from tests.access.leaks.vectors import A, B, C, asking, stored
from tests.consent.judging import actor, consent, observation, purpose, rule

TREATMENT = consent(rule(purpose=purpose("TREAT")))
TO_B = consent(rule(to=B, purpose=purpose("TREAT")))
OF_A, OF_B, OF_C = asking(A), asking(B), asking(C)
RESULT = observation()


def ruled(code):
    return {"policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": code}]}}


def group(id, *members, **elements):
    """A group of persons as a facility keeps it."""
    entities = [{"entity": {"reference": each}} for each in members]
    made = {"resourceType": "Group", "id": id, "type": "practitioner", "actual": True, "member": entities}
    return {name: value for name, value in {**made, **elements}.items() if value}


async def test_c01_c02_a_permit_for_treatment_permits_treatment_and_no_research(judge):
    await judge([TREATMENT], {OF_A: "o", OF_B: "o", asking(B, purpose="HRESCH"): "", asking(A, purpose="HRESCH"): "o"}, RESULT)


async def test_c03_a_dissent_denies(judge):
    await judge([consent(rule("deny"))], {OF_A: "o", OF_B: ""}, RESULT)


async def test_c04_c05_an_expired_consent_and_one_to_come_are_none(judge):
    await judge([consent(rule(period={"end": "2026-03-31"}))], {OF_B: ""}, RESULT)
    await judge([consent(rule(period={"start": "2026-04-02"}))], {OF_B: ""}, RESULT)


async def test_c05_c06_a_day_begins_and_ends_at_midnight_in_japan(judge):
    today = await judge([consent(rule(period={"start": "2026-04-01", "end": "2026-04-01"}))], {OF_B: "o"}, RESULT)
    tomorrow = await judge([consent(rule(period={"start": "2026-04-02"}))], {OF_B: ""}, RESULT)
    for moment, now, then in (("2026-04-01T23:59:00+09:00", "o", ""), ("2026-04-02T00:00:00+09:00", "", "o")):
        with time_machine.travel(moment, tick=False):
            judge.served.tokens.clear()
            await today.sees({OF_B: now})
            await tomorrow.sees({OF_B: then})
    judge.served.tokens.clear()


async def test_c07_a_consent_that_is_not_active_is_ignored(judge):
    statuses = ("draft", "proposed", "rejected", "inactive", "entered-in-error")
    await judge([{**TREATMENT, "id": f"c{n}", "status": status} for n, status in enumerate(statuses)], {OF_B: ""}, RESULT)
    dissents = [consent(rule("deny"), f"d{n}", status=status) for n, status in enumerate(statuses)]
    await judge([TREATMENT, *dissents], {OF_B: "o"}, RESULT)


async def test_c17_a_purpose_of_ones_own_matches_literally_and_for_the_recipient(judge):
    own = consent(rule(to=B, purpose=[{"system": "urn:net:purpose", "code": "registry"}]))
    registry = "urn:net:purpose|registry"
    await judge([own], {asking(B, purpose=registry): "o", asking(C, purpose=registry): "", OF_B: ""}, RESULT)


async def test_c18_a_department_reads_what_its_hospital_may(judge):
    await judge([TO_B], {asking("Organization/ward"): "o", OF_B: "o", OF_C: ""}, RESULT)


async def test_c19_who_leaves_a_group_reads_no_more(judge):
    await judge.put(group("g", "Practitioner/d"), custodian=B)
    member, other = asking(B, "d"), asking(B, "e")
    person = await judge([consent(rule(to="Group/g"))], {member: "o", other: ""}, RESULT)
    await judge.put(group("g", "Practitioner/e"), custodian=B)
    await person.sees({member: "", other: "o"})
    await judge.put(group("g"), custodian=B)
    await person.sees({member: "", other: ""})


async def test_c20_an_author_or_witness_is_no_recipient_and_a_custodian_limits_whose_data(judge):
    for role in ("AUT", "WIT"):
        await judge([consent(rule(actor=[actor(B, role)]))], {OF_B: ""}, RESULT)
    await judge([consent(rule(actor=[actor(A, "CST"), actor(B)]), organization=[])], {OF_B: "o", OF_C: ""}, RESULT)
    await judge([consent(rule(actor=[actor(C, "CST"), actor(B)]), organization=[])], {OF_B: ""}, RESULT)


async def test_c21_c22_c23_dissent_except_in_an_emergency_opens_to_the_group_that_declares_one(judge):
    await judge.put(group("emergency", "Practitioner/d"))
    broken = consent(rule("deny", rule(purpose=purpose("BTG"), actor=[actor("Group/emergency")])))
    in_group, outside, without = asking(B, "d", "BTG"), asking(B, "e", "BTG"), asking(B, "d")
    await judge([broken], {in_group: "o", outside: "", without: "", OF_B: ""}, RESULT)


async def test_c30_emergency_treatment_is_a_treatment_and_not_the_other_way_round(judge):
    await judge([TREATMENT], {asking(B, purpose="ETREAT"): "o"}, RESULT)
    await judge([consent(rule(purpose=purpose("ETREAT")))], {asking(B, purpose="ETREAT"): "o", OF_B: ""}, RESULT)


@pytest.mark.parametrize(("policy", "plainly", "but"), [("OPTIN", "o", ""), ("OPTOUT", "", "o")])
async def test_c31_without_a_type_the_policy_rule_is_the_base(judge, policy, plainly, but):
    exception = rule("deny" if plainly else "permit", to=B)
    await judge([consent(rule(None), **ruled(policy))], {OF_B: plainly}, RESULT)
    await judge([consent(None, **ruled(policy))], {OF_B: plainly}, RESULT)
    await judge([consent(rule(None, exception), **ruled(policy))], {OF_B: but, OF_C: plainly}, RESULT)


async def test_c32_with_neither_the_default_of_the_domain_denies(judge):
    await judge([consent(rule(None))], {OF_A: "o", OF_B: ""}, RESULT)
    await judge([consent(rule(None, rule(to=B)))], {OF_B: "o", OF_C: ""}, RESULT)
    await judge([], {OF_A: "o", OF_B: ""}, RESULT)


async def test_c33_of_one_custodian_the_newest_counts(judge):
    older, newer = consent(rule("deny"), "old", dateTime="2026-02-01"), consent(rule(), "new", dateTime="2026-03-01")
    await judge([older, newer], {OF_B: "o"}, RESULT)
    await judge([{**older, "dateTime": "2026-03-05"}, newer], {OF_B: ""}, RESULT)
    await judge([consent(rule(), "x"), consent(rule("deny"), "y")], {OF_B: ""}, RESULT)


async def test_c34_across_custodians_a_deny_that_reaches_the_data_wins(judge):
    everywhere = consent(rule("deny", to=B), "all", organization=[])
    await judge([TREATMENT, everywhere], {OF_B: "", OF_C: "o"}, RESULT)
    at_c = consent(rule("deny"), "at-c", organization=[{"reference": C}])
    await judge([TREATMENT, at_c], {OF_B: "o", OF_C: "o x"}, RESULT, elsewhere=(observation("x"),))


async def test_c35_the_deepest_rule_that_fits_decides(judge):
    three = consent(rule("permit", rule("deny", rule("permit", to=B), purpose=purpose("HRESCH"))))
    research = {asking(B, purpose="HRESCH"): "o", asking(C, purpose="HRESCH"): ""}
    await judge([three], {OF_B: "o", OF_C: "o", **research}, RESULT)


async def test_c36_of_two_exceptions_that_disagree_the_deny_wins(judge):
    both = [rule("permit", to=B), rule("deny", to=B)]
    await judge([consent(rule("deny", *both))], {OF_B: ""}, RESULT)
    await judge([consent(rule("permit", *both[::-1]))], {OF_B: "", OF_C: "o"}, RESULT)


async def test_c40_the_consent_itself_is_read_as_any_other_data_and_nobody_grants_himself_anything(judge):
    itself = await judge([TO_B], {OF_A: "o", OF_B: "o", OF_C: ""}, RESULT)
    for who, status in ((OF_A, 200), (OF_B, 200), (OF_C, 404)):
        assert (await judge.served.ask(who, "GET", f"/Consent/c-{itself.number}")).status_code == status
    granted = {**itself.own(stored(consent(rule(to=C)))), "id": "self"}
    for method, address in (("PUT", "/Consent/self"), ("POST", "/Consent")):
        assert (await judge.served.ask(OF_C, method, address, json=granted)).status_code == 403
    await itself.sees({OF_B: "o", OF_C: ""})
