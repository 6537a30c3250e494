"""Whom an emergency concerns is told of it, once each, in the same commit as what it is about.

NETWORK.md F025 (mail to secretariat and custodian). A notice names the case of the law, never the reason in somebody's own words: that may tell
of the patient.
"""

from collections.abc import Iterable
from datetime import datetime

from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, FacilityRole
from fhir_server.exchange import Resource
from fhir_server.interactions.writing import prepare
from fhir_server.network.desk import Desk
from fhir_server.network.notices import post
from fhir_server.search.expression import Has, HasPrefix
from fhir_server.store.repository import Put


async def file(desk: Desk, *resources: Resource) -> None:
    """Store these together, all or none, and see to the e-mails of notices; what is there already stays as it is."""
    if resources:
        versions = await desk.everything.commit([Put(prepare(each, desk.serving), only_create=True) for each in resources])
        new = {version.reference for version in versions if version.change == "created"}
        await post(desk, [each for each in resources if each["resourceType"] == "Communication" and reference(each) in new])


async def name(desk: Desk, reference: str) -> str:
    """Give the name of a facility, or of a person, as it is read by people."""
    found = await desk.read(reference) or {}
    known = found.get("name", reference)
    if isinstance(known, list):
        first = known[0] if known else {}
        return str(first.get("text") or " ".join([first.get("family", ""), *first.get("given", ())]).strip() or reference)
    return str(known)


async def facilities(desk: Desk, role: FacilityRole | None = None) -> list[Resource]:
    """Give the facilities that take part, or those of a role."""
    asked = HasPrefix("type", f"{FACILITY_ROLE_SYSTEM}|") if role is None else Has("type", f"{FACILITY_ROLE_SYSTEM}|{role}")
    return [each for each in await desk.find("Organization", asked) if each.get("active") is not False]


def reference(resource: Resource) -> str:
    """Give the literal reference of a resource."""
    return f"{resource['resourceType']}/{resource['id']}"


def distinct(references: Iterable[str]) -> list[str]:
    """Give each once, in their order."""
    return list(dict.fromkeys(references))


def written(desk: Desk, moment: datetime) -> str:
    """Write a moment for people, on the network's clocks."""
    return moment.astimezone(desk.terms.zone).strftime("%Y/%m/%d %H:%M")


def stamp(desk: Desk, moment: datetime) -> str:
    """Write a moment as FHIR's dateTime."""
    return moment.astimezone(desk.terms.zone).isoformat(timespec="seconds")
