"""A patient's recorded no, which no publication passes by.

NETWORK.md F072: a dissent is a Consent of ours that was rejected, with a provision that denies. A later agreement replaces it.
"""

from collections.abc import Sequence
from typing import Final

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.records import POLICY
from fhir_server.network.consent_form.rows import Party
from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import key, members
from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import And, Has, Or

_MOST: Final = 100


async def check_no_dissent(desk: Desk, consent: Resource, golden: str | None, parties: Sequence[Party]) -> None:
    """Raise FhirError (422) where this person said no on the day of the consent or later, at whichever facility."""
    people = {consent["patient"]["reference"], *(key(each.patient) for each in parties if each.patient is not None)}
    if golden is not None:
        people |= {golden, *(key(each) for each in await members(desk, golden))}
    whose = Or(tuple(Has("patient", each) for each in sorted(people)))
    rejected = await desk.find("Consent", And((Has("status", "rejected"), whose)), _MOST)
    if any(_is_ours(each) and each["dateTime"][:10] >= consent["dateTime"][:10] for each in rejected):
        text = "The patient has recorded that he does not agree / 不同意が記録されています"
        raise FhirError(Issue("business-rule", text, ("Consent.status",)))


def _is_ours(consent: Resource) -> bool:
    return consent.get("provision", {}).get("type") == "deny" and any(
        str(each.get("uri", "")).startswith(POLICY) for each in consent.get("policy", ())
    )
