"""Which data by time, author, relation: decision vectors C08-C16."""

import pytest

from fhir_server.consent.decision import decide
from fhir_server.consent.directive import authors, chains
from fhir_server.consent.expression import permitted
from fhir_server.consent.facts import facts
from fhir_server.consent.question import Reason
from fhir_server.consent.vocabulary import vocabulary
from fhir_server.search.entries import entries
from fhir_server.search.holding import Subject, holds
from fhir_server.search.parameters import Parameters
from fhir_server.store.custody import in_custody
from profiles.definitions import r4
from profiles.primitives import TOKYO
from tests.consent.judging import (
    A,
    B,
    asks,
    consent,
    data,
    denying,
    judged,
    observation,
    outcome,
    permitting,
    read,
    rule,
    sees,
)

FEBRUARY = {"start": "2026-02-01", "end": "2026-02-28"}


def spanning(start=None, end=None):
    period = {name: value for name, value in (("start", start), ("end", end)) if value}
    return observation(effectiveDateTime=None, effectivePeriod=period)


# -- clinical time ------------------------------------------------------------------------------------------------------------

INSIDE = [
    observation(effectiveDateTime="2026-02-01T00:00:00.000+09:00"),
    observation(effectiveDateTime="2026-02-28T23:59:59.999+09:00"),
    observation(effectiveDateTime="2026-02"),
    spanning("2026-02-01", "2026-02-28"),
]
OUTSIDE = [
    observation(effectiveDateTime="2026-01-31T23:59:59.999+09:00"),
    observation(effectiveDateTime="2026-03-01T00:00:00.000+09:00"),
    spanning("2026-03-01"),
    spanning(end="2026-01-31"),
]
NOBODY_KNOWS = [
    spanning("2026-02-20", "2026-03-02"),
    spanning("2026-02-20"),
    spanning(end="2026-02-20"),
    observation(effectiveDateTime="2026"),
    observation(effectiveDateTime=None),
]


@pytest.mark.parametrize(
    ("resources", "permitted", "let_through"), [(INSIDE, True, False), (OUTSIDE, False, True), (NOBODY_KNOWS, False, False)]
)
def test_c08_c09_c10_a_permit_takes_what_surely_lies_in_its_time_and_a_deny_what_possibly_does(resources, permitted, let_through):
    for resource in resources:
        assert sees(permitting(dataPeriod=FEBRUARY), asks(), resource) is permitted
        assert sees(denying(dataPeriod=FEBRUARY), asks(), resource) is let_through


def test_c08_a_period_without_an_end_holds_what_goes_on():
    assert sees(permitting(dataPeriod={"start": "2026-02-01"}), asks(), spanning("2026-02-20"))


def test_c09_a_period_of_the_data_is_no_period_of_the_rule():
    old = observation(effectiveDateTime="2020-01-01")
    assert sees(permitting(dataPeriod={"end": "2020-12-31"}), asks(), old)
    assert not sees(permitting(period={"end": "2020-12-31"}), asks(), old)


def test_c09_of_several_dates_all_have_to_lie_inside():
    timed = observation(effectiveDateTime=None, effectiveTiming={"event": ["2026-02-03", "2026-03-03"]})
    assert not sees(permitting(dataPeriod=FEBRUARY), asks(), timed)
    assert not sees(denying(dataPeriod=FEBRUARY), asks(), timed)


def test_c09_of_several_values_of_its_date_all_have_to_lie_inside():
    date = {"url": "urn:own", "code": "date", "base": ["Observation"], "type": "date", "expression": "Observation.component.value"}
    own = Parameters(r4(), [date])
    twice = observation(component=[{"valueDateTime": "2026-02-03"}, {"valueDateTime": "2026-03-03"}])
    subject = Subject("Observation", "o", in_custody(entries(twice, own, TOKYO), A))
    for consents, known in ((permitting(dataPeriod=FEBRUARY), False), (permitting(dataPeriod={"start": "2026-02-01"}), True)):
        assert holds(permitted(read(*consents), asks(), "Observation", own, vocabulary()), subject) is known
        assert decide(read(*consents), asks(), facts(twice, A, own, TOKYO), vocabulary()).permits is known


def test_c10_a_type_that_has_no_date_is_never_surely_inside():
    group = {"resourceType": "RelatedPerson", "id": "r", "patient": {"reference": "Patient/p"}}
    assert not sees(permitting(dataPeriod=FEBRUARY), asks(), group)
    assert not sees(denying(dataPeriod=FEBRUARY), asks(), group)


def test_c10_what_is_an_exception_to_something_uncertain_permits_nothing():
    both = [consent(rule("deny", rule("permit", to=B), dataPeriod=FEBRUARY))]
    assert sees(both, asks(B), INSIDE[0])
    assert outcome(both, asks(B), OUTSIDE[0]) == "none"
    assert outcome(both, asks(B), observation(effectiveDateTime=None)) == "deny"


# -- authors, instances, relations --------------------------------------------------------------------------------------------

BY_D = observation(performer=[{"reference": "Practitioner/d"}])
BY_ROLE = observation(performer=[{"reference": "PractitionerRole/r"}])
ROLES = {"Practitioner/d": frozenset({"PractitionerRole/r"})}


def test_c11_what_somebody_has_written_is_permitted():
    of_d = permitting(data=data("authoredby", "Practitioner/d"))
    assert sees(of_d, asks(), BY_D)
    assert judged(of_d, asks()).reasons == (Reason.DATA_EXCLUDED,)


def test_c12_what_somebody_has_written_in_one_of_his_roles_is_denied_too():
    of_d = denying(data=data("authoredby", "Practitioner/d"))
    assert not sees(of_d, asks(), BY_D)
    assert judged(of_d, asks(), BY_ROLE, roles=ROLES).reasons == (Reason.DATA_EXCLUDED,)
    assert sees(of_d, asks(), observation(performer=[{"reference": "PractitionerRole/other"}]), roles=ROLES)
    assert authors(read(*of_d)) == {"Practitioner/d"}


def test_c12_an_author_counts_where_no_search_parameter_looks():
    condition = {
        "resourceType": "Condition",
        "id": "c",
        "subject": {"reference": "Patient/p"},
        "recorder": {"reference": "Practitioner/d"},
        "evidence": [{"detail": [{"reference": "Practitioner/e"}]}],
    }
    assert not sees(denying(data=data("authoredby", "Practitioner/d")), asks(), condition)
    assert sees(denying(data=data("authoredby", "Practitioner/e")), asks(), condition)


IN_ENCOUNTER = observation(encounter={"reference": "Encounter/e"})
ENCOUNTER = {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/p"}}
BY_CHAIN = {"Encounter/e": frozenset({"Observation/chained"})}


def test_c13_what_belongs_to_an_encounter_is_permitted_with_what_a_chain_leads_to():
    of_e = permitting(data=data("related", "Encounter/e"))
    assert sees(of_e, asks(), IN_ENCOUNTER)
    assert sees(of_e, asks(), ENCOUNTER)
    assert sees(of_e, asks(), observation("chained"), reached=BY_CHAIN)
    assert not sees(of_e, asks(), observation("other"), reached=BY_CHAIN)
    assert chains(read(*of_e)) == {"Encounter/e"}


def test_c14_what_belongs_to_an_encounter_is_denied_with_what_a_chain_leads_to():
    of_e = denying(data=data("related", "Encounter/e"))
    assert not sees(of_e, asks(), IN_ENCOUNTER)
    assert not sees(of_e, asks(), ENCOUNTER)
    assert not sees(of_e, asks(), observation("chained"), reached=BY_CHAIN)
    assert sees(of_e, asks(), observation("other"), reached=BY_CHAIN)


def test_c14_a_reference_counts_where_no_search_parameter_looks():
    hidden = observation(extension=[{"url": "urn:x", "valueReference": {"reference": "Encounter/e/_history/2"}}])
    assert not sees(denying(data=data("related", "Encounter/e")), asks(), hidden)


def test_c14_what_depends_on_an_instance_is_it_and_what_refers_to_it_without_chains():
    of_e = permitting(data=data("dependents", "Encounter/e"))
    assert sees(of_e, asks(), IN_ENCOUNTER)
    assert sees(of_e, asks(), ENCOUNTER)
    assert not sees(of_e, asks(), observation("chained"), reached=BY_CHAIN)


def test_c15_only_the_listed_instances_are_permitted():
    listed = permitting(data=data("instance", "Observation/o", "Observation/x", "Encounter/e"))
    assert sees(listed, asks(), observation("o"))
    assert not sees(listed, asks(), observation("p"))
    assert not sees(listed, asks(), observation("e"))


def test_c16_the_listed_instances_are_denied():
    listed = denying(data=data("instance", "Observation/o"))
    assert not sees(listed, asks(), observation("o"))
    assert sees(listed, asks(), observation("p"))
