"""A patient's recorded no, which no publication passes by.

NETWORK.md F072: a dissent is a Consent of ours that was rejected, with a provision that denies. A later agreement replaces it.
"""

from collections.abc import Iterable
from typing import Final

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.asking import patient_of
from fhir_server.network.consent_form.provisions import is_of_network
from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import key, members
from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import And, Has, Or

_MOST: Final = 100


async def check_no_dissent(desk: Desk, consent: Resource, people: Iterable[str]) -> None:
    """Raise FhirError (422) where one of these Patients said no on the day of the consent or later, at whichever facility."""
    whose = Or(tuple(Has("patient", each) for each in sorted({*people, patient_of(consent)})))
    rejected = await desk.find("Consent", And((Has("status", "rejected"), whose)), _MOST)
    if any(_is_ours(each) and each["dateTime"][:10] >= consent["dateTime"][:10] for each in rejected):
        text = "The patient has recorded that he does not agree / 不同意が記録されています"
        raise FhirError(Issue("business-rule", text, ("Consent.status",)))


async def everybody(desk: Desk, golden: str) -> set[str]:
    """Give every Patient who is this golden one."""
    return {golden, *(key(each) for each in await members(desk, golden))}


def _is_ours(consent: Resource) -> bool:
    return is_of_network(consent) and consent["provision"].get("type") == "deny"
