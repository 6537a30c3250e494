"""The ideas of IHE Privacy Consent on FHIR's 23 example consents, in JSON of our own.

https://profiles.ihe.net/ITI/PCF/artifacts.html
"""

from typing import Any

import pytest

from tests.consent.judging import A, B, C, actor, asks, consent, data, labels, observation, purpose, rule, sees

TREAT = purpose("TREAT")
D, E = "Practitioner/d", "Practitioner/e"
BY_D = observation(performer=[{"reference": D}])
IN_E = observation(encounter={"reference": "Encounter/e"})
OLD = observation(effectiveDateTime="2024-05-05")
N, R, V, PSY, SDV = (observation(security=labels(code)) for code in ("N", "R", "V", "PSY", "SDV"))
ANY = observation()


def permit(*exceptions: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return consent(rule("permit", *exceptions, purpose=TREAT, **elements))


BTG = rule("permit", purpose=purpose("BTG"), actor=[actor("Group/emergency")])
IN_GROUP = asks(people=("Group/emergency",), purpose="BTG")
BREAKING = asks(purpose="BTG")

# name: consent, what is seen, what is not: (question, resource)
EXAMPLES: dict[str, tuple[dict[str, Any], list[Any], list[Any]]] = {
    "basic": (permit(), [(asks(), ANY)], [(asks(purpose="HPAYMT"), ANY)]),
    "basic-reject": (consent(rule("deny", purpose=TREAT)), [], [(asks(), ANY)]),
    "basic-expires": (permit(period={"end": "2026-06-30"}), [(asks(), ANY)], [(asks(at="2026-07-01T00:00:00+09:00"), ANY)]),
    "basic-ink": ({**permit(), "sourceAttachment": {"title": "scan"}}, [(asks(), ANY)], [(asks(purpose="HPAYMT"), ANY)]),
    "basic-by-parent": ({**permit(), "performer": [{"reference": "RelatedPerson/m"}]}, [(asks(), ANY)], [(asks(purpose="HPAYMT"), ANY)]),
    "data-period": (permit(dataPeriod={"start": "2026-01-01"}), [(asks(), ANY)], [(asks(), OLD)]),
    "not-data-period": (permit(rule("deny", dataPeriod={"end": "2024-12-31"})), [(asks(), ANY)], [(asks(), OLD)]),
    "author": (permit(data=data("authoredby", D)), [(asks(), BY_D)], [(asks(), ANY)]),
    "not-author": (permit(rule("deny", data=data("authoredby", D))), [(asks(), ANY)], [(asks(), BY_D)]),
    "encounter": (permit(data=data("related", "Encounter/e")), [(asks(), IN_E)], [(asks(), ANY)]),
    "not-encounter": (permit(rule("deny", data=data("related", "Encounter/e"))), [(asks(), ANY)], [(asks(), IN_E)]),
    "instances": (permit(data=data("instance", "Observation/o")), [(asks(), ANY)], [(asks(), observation("x"))]),
    "not-instances": (permit(rule("deny", data=data("instance", "Observation/o"))), [(asks(), observation("x"))], [(asks(), ANY)]),
    "purpose": (
        consent(rule("permit", purpose=purpose("HRESCH"), actor=[actor(B)])),
        [(asks(B, purpose="HRESCH"), ANY)],
        [(asks(C, purpose="HRESCH"), ANY), (asks(B), ANY)],
    ),
    "recipients": (permit(actor=[actor(B), actor(D)]), [(asks(B), ANY), (asks(C, people=(D,)), ANY)], [(asks(C), ANY)]),
    "not-recipient": (permit(rule("deny", actor=[actor(D)])), [(asks(B, people=(E,)), ANY)], [(asks(B, people=(D,)), ANY)]),
    "dissent-break-glass": (consent(rule("deny", BTG)), [(IN_GROUP, ANY)], [(BREAKING, ANY), (asks(people=("Group/emergency",)), ANY)]),
    "normal": (permit(securityLabel=labels("N")), [(asks(), ANY), (asks(), N)], [(asks(), R), (asks(), V)]),
    "normal-and-restricted": (permit(securityLabel=labels("N", "R")), [(asks(), ANY), (asks(), N), (asks(), R)], [(asks(), V)]),
    "not-restricted": (permit(rule("deny", securityLabel=labels("R"))), [(asks(), N)], [(asks(), R), (asks(), V)]),
    "psychiatry-for-one": (
        permit(rule("deny", rule("permit", actor=[actor(D)]), securityLabel=labels("PSY"))),
        [(asks(people=(D,)), PSY), (asks(people=(E,)), N)],
        [(asks(people=(E,)), PSY)],
    ),
    "sensitivities": (permit(rule("deny", securityLabel=labels("PSY", "SDV"))), [(asks(), ANY)], [(asks(), PSY), (asks(), SDV)]),
    "restricted-by-break-glass": (
        permit(rule("deny", {**BTG, "securityLabel": labels("R")}, securityLabel=labels("R"))),
        [(asks(), N), (IN_GROUP, R)],
        [(asks(), R), (BREAKING, R), (IN_GROUP, V)],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_pcf(name):
    given, seen, hidden = EXAMPLES[name]
    for question, resource in seen:
        assert sees([given], question, resource, A)
    for question, resource in hidden:
        assert not sees([given], question, resource, A)


def test_pcf_has_twenty_three_of_them():
    assert len(EXAMPLES) == 23
