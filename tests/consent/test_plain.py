"""Policies that documents themselves can bear: who may read whose data, who is barred, and until when."""

from itertools import pairwise
from random import Random

import pytest

from fhir_server.consent.plain import Plain, plain
from tests.consent.chance import FACILITIES, random_consents
from tests.consent.judging import A, B, C, D, actor, consent, data, form, labels, moment, purpose, read, rule

TREATMENT = purpose("TREAT")


def policy(*consents, custodians=(A, B, C), at="2026-04-01T09:00:00+09:00"):
    return plain(read(*consents), custodians, moment(at))


def test_a_form_of_three_facilities_lets_each_read_the_others():
    assert policy(form(A, B, C)) == Plain({A: (B, C), B: (A, C), C: (A, B)})


def test_without_consents_nobody_reads():
    assert policy() == Plain({A: (), B: (), C: ()})


def test_a_consent_to_come_is_none_until_it_is_published():
    coming = form(A, B, verification=[{"verified": True, "verificationDate": "2026-04-05T10:00:00.000+09:00"}])
    assert policy(coming) == Plain({A: (), B: (), C: ()}, until=moment("2026-04-05T10:00:00.000+09:00"))


def test_d06_a_facility_taken_out_is_barred_by_name():
    assert policy(form(A, B, C, exceptions=(rule("deny", to=B),))) == Plain({A: (C,), B: (), C: (A,)}, frozenset({B}))


def test_d07_a_stop_for_some_time_says_when_it_ends():
    april = form(A, B, exceptions=(rule("deny", period={"start": "2026-04-01", "end": "2026-04-30"}),))
    assert policy(april, custodians=(A, B)) == Plain({A: (), B: ()}, frozenset({A, B}), moment("2026-05-01T00:00:00.000+09:00"))
    assert policy(april, custodians=(A, B), at="2026-05-01T00:00:00+09:00") == Plain({A: (B,), B: (A,)})


def test_a_consent_of_one_custodian_concerns_its_data_alone():
    assert policy(consent(rule(to=B, purpose=TREATMENT))) == Plain({A: (B,), B: (), C: ()})


def test_a_dissent_is_plain_whatever_it_is_for():
    assert policy(form(A, B), consent(rule("deny"), "no", organization=[])) == Plain({A: (), B: (), C: ()})


@pytest.mark.parametrize(
    "root",
    [
        rule(to=B),
        rule(purpose=TREATMENT),
        rule(to=B, purpose=purpose("TREAT", "HRESCH")),
        rule(to="Practitioner/d", purpose=TREATMENT),
        rule("permit", rule("deny", securityLabel=labels("R")), to=B, purpose=TREATMENT),
        rule("permit", rule("deny", data=data("instance", "Observation/o")), to=B, purpose=TREATMENT),
        rule("permit", rule("deny", purpose=purpose("HRESCH")), to=B, purpose=TREATMENT),
        rule("permit", rule("deny", modifierExtension=[{"url": "urn:x"}]), to=B, purpose=TREATMENT),
        rule("deny", rule("permit", to=B)),
    ],
)
def test_what_has_conditions_is_not_plain(root):
    assert policy(consent(root)) is None


def test_a_facility_that_is_barred_by_one_custodian_and_reads_anothers_data_is_not_plain():
    of_a = consent(rule("permit", rule("deny", to=B), purpose=TREATMENT, actor=[actor(B), actor(D)]), "a")
    of_c = consent(rule(to=B, purpose=TREATMENT), "c", organization=[{"reference": C}])
    assert policy(of_a, of_c) is None


def test_until_the_moment_that_it_says_it_does_not_change():
    chance = Random("until")
    days = [moment(f"2026-{day}T00:00:00.000+09:00") for day in ("03-30", "03-31", "04-01", "04-02", "04-03", "05-02")]
    moments = sorted({each + by for each in days for by in (-1, 0, 1)})
    changes = 0
    for _ in range(120):
        directives = read(*random_consents(chance, plain=True))
        for now, then in pairwise(moments):
            before, after = plain(directives, FACILITIES, now), plain(directives, FACILITIES, then)
            if before is not None and (before.until is None or then < before.until):
                assert after is not None
                assert (after.readers, after.barred) == (before.readers, before.barred)
            changes += before != after
    assert changes > 30
