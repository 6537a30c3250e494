"""Who, when and what for: decision vectors C01-C07, C17-C23, C30-C36, C40."""

import pytest

from fhir_server.consent.directive import actors, directive
from fhir_server.consent.question import Reason
from profiles.primitives import TOKYO
from tests.consent.judging import A, B, C, D, actor, asks, consent, judged, observation, outcome, purpose, rule, sees

TREATMENT = consent(rule(purpose=purpose("TREAT")))
TO_B = consent(rule(to=B, purpose=purpose("TREAT")))


def code(system, *codes):
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": each} for each in codes]}


def test_c01_a_permit_for_treatment_permits_treatment():
    decision = judged([TREATMENT], asks())
    assert (decision.outcome, decision.reasons, decision.consents) == ("permit", (Reason.CONSENTED,), ("Consent/c",))


def test_c02_a_permit_for_treatment_permits_no_research():
    assert judged([TREATMENT], asks(purpose="HRESCH")).reasons == (Reason.PURPOSE,)


def test_c03_a_dissent_denies():
    decision = judged([consent(rule("deny"))], asks())
    assert (decision.outcome, decision.reasons, decision.consents) == ("deny", (Reason.DISSENT,), ("Consent/c",))


def test_without_any_consent_nothing_is_seen():
    assert judged([], asks()).reasons == (Reason.NO_CONSENT,)


def test_c04_an_expired_consent_is_none():
    ended = consent(rule(period={"end": "2026-03-31"}))
    assert judged([ended], asks()).outcome == "none"
    assert judged([ended], asks()).reasons == (Reason.EXPIRED,)


def test_c05_a_consent_from_tomorrow_on_is_none_today():
    begins = consent(rule(period={"start": "2026-04-02"}))
    assert judged([begins], asks()).reasons == (Reason.NOT_YET,)
    assert sees([begins], asks(at="2026-04-02T00:00:00.000+09:00"))
    assert not sees([begins], asks(at="2026-04-01T23:59:59.999+09:00"))


@pytest.mark.parametrize(
    ("at", "seen"),
    [
        ("2026-04-01T23:59:00+09:00", True),
        ("2026-04-01T23:59:59.999+09:00", True),
        ("2026-04-02T00:00:00.000+09:00", False),
        ("2026-04-01T15:00:00Z", False),
    ],
)
def test_c06_a_day_ends_at_midnight_in_japan(at, seen):
    assert sees([consent(rule(period={"end": "2026-04-01"}))], asks(at=at)) is seen


def test_c06_an_end_with_a_time_is_exact_to_the_millisecond():
    until = consent(rule(period={"end": "2026-04-01T12:00:00.500+09:00"}))
    assert sees([until], asks(at="2026-04-01T12:00:00.500+09:00"))
    assert not sees([until], asks(at="2026-04-01T12:00:00.501+09:00"))


@pytest.mark.parametrize("status", ["draft", "proposed", "rejected", "inactive", "entered-in-error"])
def test_c07_a_consent_that_is_not_active_is_ignored(status):
    assert outcome([{**TREATMENT, "status": status}], asks()) == "none"
    assert sees([TREATMENT, consent(rule("deny"), "other", status=status)], asks())


def test_c07_a_stopped_consent_says_that_it_was_stopped():
    assert judged([{**TREATMENT, "status": "inactive"}], asks()).reasons == (Reason.STOPPED,)


@pytest.mark.parametrize(
    "verification",
    [
        None,
        [{"verified": False, "verificationDate": "2026-03-02"}],
        [{"verified": True}],
        [{"verified": True, "verificationDate": "2026-04-01T09:00:00.001+09:00"}],
    ],
)
def test_d04_what_is_not_published_yet_is_not_in_force(verification):
    assert judged([{**TREATMENT, "verification": verification or []}], asks()).reasons == (Reason.NOT_PUBLISHED,)


def test_d04_it_is_in_force_from_its_publication_on():
    published = {**TREATMENT, "verification": [{"verified": True, "verificationDate": "2026-04-01T09:00:00.000+09:00"}]}
    assert sees([published], asks(at="2026-04-01T09:00:00.000+09:00"))
    assert not sees([published], asks(at="2026-04-01T08:59:59.999+09:00"))


def test_a_consent_of_another_scope_says_nothing_of_privacy():
    assert outcome([{**TREATMENT, "scope": code("consentscope", "research")}], asks()) == "none"


def test_c17_a_purpose_of_ones_own_matches_literally_and_for_the_recipient():
    own = consent(rule(to=B, purpose=[{"system": "urn:net:purpose", "code": "registry"}]))
    assert sees([own], asks(B, purpose="urn:net:purpose|registry"))
    assert not sees([own], asks(C, purpose="urn:net:purpose|registry"))
    assert not sees([own], asks(B))


def test_c18_a_department_reads_what_its_hospital_may():
    assert sees([TO_B], asks("Organization/ward", "Organization/clinic", B))
    assert not sees([TO_B], asks("Organization/ward", C))


def test_c19_who_leaves_a_group_reads_no_more():
    to_group = consent(rule(to="Group/g"))
    assert sees([to_group], asks(B, people=("Practitioner/d", "Group/g")))
    assert not sees([to_group], asks(B, people=("Practitioner/d",)))
    assert actors([directive(to_group, TOKYO)]) == {"Group/g"}


@pytest.mark.parametrize("role", ["AUT", "WIT", "INF"])
def test_c20_an_author_or_witness_is_no_recipient(role):
    assert judged([consent(rule(actor=[actor(B, role)]))], asks(B)).reasons == (Reason.NOT_NAMED,)
    assert sees([consent(rule("permit", rule("deny", actor=[actor(B, role)])))], asks(B))


def test_c20_a_custodian_in_the_rule_limits_whose_data():
    of_a = consent(rule(actor=[actor(A, "CST"), actor(B)]), organization=[])
    assert sees([of_a], asks(B), custodian=A)
    assert judged([of_a], asks(B), custodian=C).reasons == (Reason.CUSTODIAN_NOT_NAMED,)
    assert judged([of_a], asks(C), custodian=A).reasons == (Reason.NOT_NAMED,)
    assert sees([consent(rule(actor=[actor(A, "CST")]))], asks(C), custodian=A)


BREAK_GLASS = consent(rule("deny", rule(purpose=purpose("BTG"), actor=[actor("Group/emergency")])))


def test_c21_dissent_except_in_an_emergency_opens_to_the_group_that_declares_one():
    assert sees([BREAK_GLASS], asks(B, people=("Group/emergency",), purpose="BTG"))


def test_c22_it_does_not_open_to_others():
    assert outcome([BREAK_GLASS], asks(B, people=("Group/others",), purpose="BTG")) == "deny"


def test_c23_it_does_not_open_to_the_group_without_an_emergency():
    assert outcome([BREAK_GLASS], asks(B, people=("Group/emergency",))) == "deny"


def test_c30_emergency_treatment_is_a_treatment_and_not_the_other_way_round():
    assert sees([TREATMENT], asks(purpose="ETREAT"))
    assert not sees([consent(rule(purpose=purpose("ETREAT")))], asks(purpose="TREAT"))
    assert sees([consent(rule(purpose=[{"system": "http://hl7.org/fhir/v3/ActReason", "code": "TREAT"}]))], asks())


@pytest.mark.parametrize(("policy", "seen"), [("OPTIN", True), ("OPTINR", True), ("OPTOUT", False), ("OPTOUTE", False)])
def test_c31_without_a_type_the_policy_rule_is_the_base(policy, seen):
    ruled = {"policyRule": code("v3-ActCode", policy)}
    assert outcome([consent(rule(None), **ruled)], asks()) == ("permit" if seen else "deny")
    assert sees([consent(None, **ruled)], asks()) is seen
    assert sees([consent(rule(None, rule("permit" if not seen else "deny", to=B)), **ruled)], asks(B)) is not seen


@pytest.mark.parametrize(
    ("name", "research", "treatment"),
    [("permit-treatment", "none", "permit"), ("permit-authorised", "permit", "permit"), ("deny-all", "deny", "deny")],
)
def test_c31_a_named_default_is_the_base(name, research, treatment):
    named = consent(None, policy=[{"uri": f"urn:tsunagi:implicit:{name}"}])
    assert outcome([named], asks()) == treatment
    assert outcome([named], asks(purpose="HRESCH")) == research


def test_c32_with_neither_nothing_but_its_exceptions_is_permitted():
    assert outcome([consent(rule(None))], asks()) == "none"
    assert outcome([consent(None)], asks()) == "none"
    assert sees([consent(rule(None, rule(to=B)))], asks(B))
    assert outcome([consent(rule(None, rule(to=B)))], asks(C)) == "none"


def test_c33_of_one_custodian_the_newest_counts():
    older, newer = consent(rule("deny"), "old", dateTime="2026-02-01"), consent(rule(), "new", dateTime="2026-03-01")
    assert sees([older, newer], asks())
    assert judged([{**older, "dateTime": "2026-03-05"}, newer], asks()).consents == ("Consent/old",)


def test_c33_of_two_of_the_same_moment_the_deny_wins():
    assert outcome([consent(rule(), "x"), consent(rule("deny"), "y")], asks()) == "deny"


def test_c33_a_newer_one_that_is_not_published_takes_nothing_away():
    draft = consent(rule("deny"), "new", dateTime="2026-03-09", verification=[])
    assert sees([TREATMENT, draft], asks())


def test_c33_a_newer_one_that_has_ended_leaves_nothing_of_the_older():
    ended = consent(rule(period={"end": "2026-03-20"}), "new", dateTime="2026-03-09")
    assert (
        judged([TREATMENT, ended], asks()).reasons == (Reason.EXPIRED, Reason.SUPERSEDED) or outcome([TREATMENT, ended], asks()) == "none"
    )


def test_c34_across_custodians_a_deny_that_reaches_the_data_wins():
    everywhere = consent(rule("deny", to=B), "all", organization=[])
    assert outcome([TREATMENT, everywhere], asks(B)) == "deny"
    assert sees([TREATMENT, everywhere], asks(C))


def test_c34_what_one_custodian_denies_concerns_its_own_data():
    of_c = consent(rule("deny"), "c", organization=[{"reference": C}])
    assert sees([TREATMENT, of_c], asks(B), custodian=A)
    assert outcome([TREATMENT, of_c], asks(B), custodian=C) == "deny"
    assert outcome([TREATMENT], asks(B), custodian=D) == "none"


def test_c35_the_deepest_rule_that_fits_decides():
    three = consent(rule("permit", rule("deny", rule("permit", to=B), purpose=purpose("HRESCH"))))
    assert sees([three], asks(C))
    assert not sees([three], asks(C, purpose="HRESCH"))
    assert sees([three], asks(B, purpose="HRESCH"))


def nested(depth):
    inner = rule("permit" if depth % 2 == 0 else "deny")
    for level in reversed(range(depth)):
        inner = rule("permit" if level % 2 == 0 else "deny", inner)
    return inner


def test_c35_eight_levels_of_exceptions_are_read_and_a_ninth_denies_all():
    assert sees([consent(nested(8))], asks())
    assert judged([consent(nested(9))], asks()).reasons == (Reason.UNCLEAR,)
    assert judged([consent(nested(10))], asks()).reasons == (Reason.UNCLEAR,)
    assert sees([consent(nested(10), "deep", organization=[{"reference": C}]), TREATMENT], asks()), "it reaches its custodian's data"


def test_c35_an_exception_counts_only_where_what_it_is_an_exception_to_fits():
    assert outcome([consent(rule("permit", rule("deny"), to=C))], asks(B)) == "none"
    assert sees([consent(rule("permit", rule("deny", rule("permit"), to=C)))], asks(B))


def test_c36_of_two_exceptions_that_disagree_the_deny_wins():
    both = [rule("permit", to=B), rule("deny", to=B)]
    for several in (both, both[::-1]):
        assert outcome([consent(rule("deny", *several))], asks(B)) == "deny"
        assert outcome([consent(rule("permit", *several))], asks(B)) == "deny"


@pytest.mark.parametrize("action", ["access", "disclose"])
def test_a_rule_on_reading_is_one_on_access_or_disclosure(action):
    assert sees([consent(rule(action=[code("consentaction", action)]))], asks())


def test_a_rule_on_other_actions_does_not_concern_reading():
    assert judged([consent(rule(action=[code("consentaction", "use")]))], asks()).reasons == (Reason.ACTION,)
    assert sees([consent(rule("permit", rule("deny", action=[code("consentaction", "correct")])))], asks())


def test_c40_the_consent_itself_is_read_as_any_other_data():
    stored = consent(rule(), "itself")
    assert not sees([], asks(B), stored)
    assert not sees([TO_B], asks(C), stored)
    assert sees([TO_B], asks(B), stored)


def test_c40_who_is_named_by_a_consent_nobody_has_published_reads_nothing():
    assert not sees([consent(rule(to=B), verification=[])], asks(B), observation())
