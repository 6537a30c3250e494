"""What a consent says in a way that is not understood never shows more: it permits nothing and denies everything."""

import pytest

from fhir_server.consent.question import Reason
from tests.consent.judging import A, B, C, asks, consent, judged, observation, outcome, rule, sees

ELSEWHERE = {"reference": "http://elsewhere.example/fhir/Organization/b"}
RECIPIENT = {"coding": [{"code": "IRCP"}]}
UNCLEAR = [
    {"actor": [{"role": RECIPIENT, "reference": ELSEWHERE}]},
    {"actor": [{"role": RECIPIENT, "reference": {"identifier": {"value": "b"}}}]},
    {"actor": [{"role": {"text": "recipient"}, "reference": {"reference": B}}]},
    {"actor": [{"role": {"coding": [{"code": "IRCP"}, {"code": "CST"}]}, "reference": {"reference": B}}]},
    {"actor": []},
    {"action": [{"coding": [{"code": "look"}]}]},
    {"action": [{"text": "read"}]},
    {"purpose": [{"code": "TREAT"}]},
    {"securityLabel": [{"display": "secret"}]},
    {"class": [{"code": "Observation"}]},
    {"code": [{"text": "HIV"}]},
    {"period": {"start": "2026-04-02", "end": "2026-04-01"}},
    {"period": {"start": "yesterday"}},
    {"dataPeriod": {}},
    {"data": [{"meaning": "instance", "reference": {"display": "that one"}}]},
    {"data": [{"meaning": "neighbours", "reference": {"reference": "Observation/o"}}]},
    {"modifierExtension": [{"url": "urn:only-on-sundays"}]},
    {"unheardOf": True},
]


@pytest.mark.parametrize("conditions", UNCLEAR, ids=lambda each: next(iter(each)))
def test_a_rule_that_is_not_understood_permits_nothing_and_denies_everything(conditions):
    assert judged([consent({"type": "permit", **conditions})], asks(B)).reasons == (Reason.UNCLEAR,)
    assert outcome([consent({"type": "permit", **conditions})], asks(B)) == "none"
    denied = judged([consent(rule("permit", {"type": "deny", **conditions}))], asks(C))
    assert (denied.outcome, denied.reasons) == ("deny", (Reason.UNCLEAR,))
    assert outcome([consent({"type": "deny", **conditions})], asks(C)) == "deny"


def test_an_exception_that_does_not_say_what_it_is_denies():
    assert outcome([consent(rule("permit", {"purpose": []}))], asks()) == "deny"
    assert outcome([consent(rule("permit", {"type": "perhaps"}))], asks()) == "deny"
    assert outcome([consent({"type": "perhaps"})], asks()) == "deny"


@pytest.mark.parametrize(
    "elements",
    [
        {"modifierExtension": [{"url": "urn:x"}]},
        {"implicitRules": "urn:x"},
        {"patient": {"display": "somebody"}},
        {"organization": [{"display": "A"}]},
        {"dateTime": "lately"},
    ],
)
def test_a_consent_that_is_not_understood_denies_what_it_reaches(elements):
    unclear = consent(rule("permit"), "unclear", **elements)
    assert judged([unclear], asks(B)).reasons == (Reason.UNCLEAR,)
    newer = consent(rule("permit"), "newer", dateTime="2026-03-20")
    assert outcome([unclear, newer], asks(B)) == "deny", "nothing supersedes it"


def test_an_unclear_consent_of_another_custodian_denies_its_own_data_only():
    unclear = consent(rule(), "unclear", organization=[{"reference": C}], implicitRules="urn:x")
    assert sees([unclear, consent(rule())], asks(B), custodian=A)
    assert outcome([unclear, consent(rule())], asks(B), custodian=C) == "deny"


def test_one_whose_custodian_cannot_be_read_denies_everywhere():
    unclear = consent(rule(), "unclear", organization=[{"reference": C}, {"display": "A"}])
    assert outcome([unclear], asks(B), observation(), custodian=A) == "deny"


def test_an_empty_or_broken_provision_raises_nothing():
    for broken in ({}, {"provision": [None]}, {"type": "permit", "provision": {}}, {"type": "permit", "actor": "all"}):
        assert not sees([consent(broken)], asks())
