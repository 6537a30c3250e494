"""Which data by its labels: decision vectors C24-C29."""

import pytest

from tests.consent.judging import (
    CONFIDENTIALITY,
    SENSITIVITY,
    asks,
    denying,
    labels,
    observation,
    permitting,
    purpose,
    rule,
    sees,
)


def labelled(*codes):
    return observation(security=labels(*codes))


def test_c24_what_bears_no_label_is_n():
    normal = permitting(securityLabel=labels("N"))
    assert sees(normal, asks(), observation())
    assert sees(normal, asks(), labelled("N"))
    assert sees(normal, asks(), labelled("L"))
    assert not sees(normal, asks(), labelled("R"))
    assert not sees(normal, asks(), labelled("V"))
    assert not sees(permitting(securityLabel=labels("L")), asks(), observation())
    assert sees(permitting(securityLabel=labels("L")), asks(), labelled("U"))


def test_c25_normal_and_restricted_are_permitted_and_very_restricted_is_not():
    both = permitting(securityLabel=labels("N", "R"))
    assert [sees(both, asks(), each) for each in (observation(), labelled("N"), labelled("R"), labelled("V"))] == [True, True, True, False]


def test_c26_the_highest_label_decides():
    n_but_not_r = permitting(rule("deny", securityLabel=labels("R")), securityLabel=labels("N"))
    assert not sees(n_but_not_r, asks(), labelled("N", "R"))
    assert sees(n_but_not_r, asks(), labelled("N"))
    assert not sees(permitting(securityLabel=labels("N")), asks(), labelled("N", "R"))


def test_c26_a_deny_of_restricted_data_covers_what_is_more_restricted():
    not_r = denying(securityLabel=labels("R"))
    assert [sees(not_r, asks(), each) for each in (observation(), labelled("M"), labelled("R"), labelled("V"))] == [
        True,
        True,
        False,
        False,
    ]
    assert not sees(denying(securityLabel=labels("N")), asks(), observation())


@pytest.mark.parametrize(
    "label",
    [
        {"system": CONFIDENTIALITY, "code": "S"},
        {"system": CONFIDENTIALITY, "code": "new"},
        {"system": "http://hl7.org/fhir/v3/Confidentiality", "code": "R"},
        {"system": "urn:oid:2.16.840.1.113883.5.25", "code": "V"},
        {"code": "R"},
    ],
)
def test_c26_a_label_that_is_off_the_ladder_or_written_otherwise_is_not_taken_for_normal(label):
    assert not sees(permitting(securityLabel=labels("N")), asks(), observation(security=[label]))
    assert not sees(denying(securityLabel=labels("R")), asks(), observation(security=[label]))
    assert sees(permitting(securityLabel=labels("V")), asks(), observation(security=[label]))


def test_c27_psychiatry_for_one_physician():
    focused = permitting(rule("deny", rule("permit", to="Practitioner/d"), securityLabel=labels("PSY")))
    assert sees(focused, asks(people=("Practitioner/d",)), labelled("PSY"))
    assert not sees(focused, asks(people=("Practitioner/e",)), labelled("PSY"))
    assert sees(focused, asks(people=("Practitioner/e",)), labelled("N"))


def test_c28_one_of_several_labels_is_enough():
    either = permitting(securityLabel=labels("PSY", "SDV"))
    assert sees(either, asks(), labelled("PSY"))
    assert sees(either, asks(), labelled("SDV"))
    assert not sees(either, asks(), labelled("HIV"))


@pytest.mark.parametrize("code", ["ETH", "ETHUD", "OPIOIDUD", "SUD"])
def test_c29_a_rule_on_substance_abuse_covers_its_kinds(code):
    assert not sees(denying(securityLabel=labels("ETH")), asks(), labelled(code))
    assert sees(permitting(securityLabel=labels("ETH")), asks(), labelled(code))


def test_c29_a_rule_on_a_kind_does_not_cover_the_whole():
    assert sees(denying(securityLabel=labels("ETHUD")), asks(), labelled("ETH"))
    assert not sees(permitting(securityLabel=labels("ETHUD")), asks(), labelled("OPIOIDUD"))


def test_c29_a_label_without_a_system_is_possibly_meant():
    assert not sees(denying(securityLabel=labels("PSY")), asks(), observation(security=[{"code": "PSY"}]))
    assert not sees(permitting(securityLabel=labels("PSY")), asks(), observation(security=[{"code": "PSY"}]))


def test_pcf_normal_for_treatment_and_restricted_too_in_an_emergency():
    both = permitting(
        rule("deny", rule("permit", purpose=purpose("BTG"), securityLabel=labels("R")), securityLabel=labels("R")), purpose=purpose("TREAT")
    )
    assert not sees(both, asks(), labelled("R"))
    assert sees(both, asks(purpose="BTG"), labelled("R"))
    assert not sees(both, asks(purpose="BTG"), labelled("V"))


def test_a_sensitivity_of_another_system_is_compared_literally():
    own = [{"system": "urn:net:labels", "code": "mihon"}]
    assert sees(permitting(securityLabel=own), asks(), observation(security=own))
    assert not sees(permitting(securityLabel=own), asks(), observation(security=[{"system": SENSITIVITY, "code": "mihon"}]))
