"""The facilities that a form names: whether they take part now, and which of their patients the form means.

NETWORK.md F014, F069, F075, D11
"""

from dataclasses import dataclass
from typing import Final

from fhir_server.auth.members import types_of
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, FacilityRole
from fhir_server.exchange import Resource
from fhir_server.network.consent_form.form import Row
from fhir_server.network.consent_form.records import NETWORK
from fhir_server.network.desk import Desk
from fhir_server.search.expression import And, Has
from fhir_server.store.custody import CUSTODIAN
from profiles.primitives import date_span

_ROLES: Final = frozenset(each.value for each in FacilityRole)


@dataclass(frozen=True, slots=True)
class Place:
    """One row as it is in the network: the facility's name, and its Patient ("Patient/1") or why there is none (ja, en)."""

    organization: str
    name: str
    patient: str | None
    lacking: tuple[str, str] | None = None


async def member(desk: Desk, organization: str) -> Resource | None:
    """Give the Organization of a current member of the network; None for any other, and where there is none (D11)."""
    found = await desk.read(organization)
    if found is None or found.get("active") is False or not _ROLES.intersection(types_of(found, FACILITY_ROLE_SYSTEM)):
        return None
    affiliations = await desk.find(
        "OrganizationAffiliation", And((Has("participating-organization", organization), Has("primary-organization", NETWORK)))
    )
    return found if not affiliations or any(_covers_now(each, desk) for each in affiliations) else None


def _covers_now(affiliation: Resource, desk: Desk) -> bool:
    period = affiliation.get("period") or {}
    moment = desk.now().timestamp() * 1000
    starts = date_span(period["start"], desk.terms.zone)[0] if "start" in period else moment
    ends = date_span(period["end"], desk.terms.zone)[1] if "end" in period else moment
    return affiliation.get("active") is not False and starts <= moment <= ends


async def place(desk: Desk, row: Row) -> Place | None:
    """Find what a row means; None where the facility is no member."""
    organization = await member(desk, row.organization)
    if organization is None:
        return None
    name = str(organization.get("name", row.organization))
    if row.number is None:
        return Place(row.organization, name, None, ("患者IDの記入なし", "no patient number on the form"))
    expression = And((Has("identifier", row.number), Has(CUSTODIAN, row.organization)))
    patients = [each["id"] for each in await desk.find("Patient", expression, 2)]
    if len(patients) != 1:
        ja, en = ("該当する患者なし", "no such patient there") if not patients else ("該当する患者が複数", "several such patients there")
        return Place(row.organization, name, None, (ja, en))
    return Place(row.organization, name, f"Patient/{patients[0]}")
