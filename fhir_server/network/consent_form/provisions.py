"""Changes to what a network consent permits: facilities published, added, stopped, resumed.

NETWORK.md §1.14, D5-D7, F063, F076; https://hl7.org/fhir/R4/consent.html: nested provisions are exceptions to what stands above them.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.records import POLICY, PUBLISHED_AT, REASON, actor, deny
from profiles.primitives import date_span

UNLINKED, STOPPED, PAUSED, OPT_OUT = "unlinked", "stopped", "paused", "opt-out"
OF_THE_PATIENT: Final = frozenset({STOPPED, PAUSED})
"""The exceptions that the patient asked for."""


def is_of_network(consent: Resource) -> bool:
    """Tell whether the consent lists facilities that share with each other, by a policy of the network."""
    named = any(str(each.get("uri", "")).startswith(POLICY) for each in consent.get("policy", ()))
    return named and bool(organizations(consent))


def organizations(consent: Resource) -> list[str]:
    """Give the facilities that the patient agreed to."""
    return _actors(consent.get("provision", {}))


def published_at(consent: Resource) -> dict[str, str]:
    """Give when each facility was published (公開日時, F065)."""
    times = {}
    for each in consent.get("provision", {}).get("actor", ()):
        at = _extension(each, PUBLISHED_AT, "valueDateTime")
        if at is not None:
            times[each["reference"]["reference"]] = at
    return times


def publishing(consent: Resource, times: Mapping[str, str]) -> Resource:
    """Give the Consent with these facilities published at these times, and an exception for all others: agreed, not linked (F015)."""
    provision = dict(consent["provision"])
    known = organizations(consent)
    provision["actor"] = [actor(each, times.get(each)) for each in known]
    left = [each for each in known if each not in times]
    kept = [each for each in exceptions(consent) if reason_of(each) != UNLINKED]
    return with_exceptions({**consent, "provision": provision}, [*kept, *([deny(UNLINKED, left)] if left else [])])


def with_actor(consent: Resource, organization: str) -> Resource:
    """Give the Consent with one more facility."""
    provision = consent["provision"]
    return {**consent, "provision": {**provision, "actor": [*provision["actor"], actor(organization)]}}


def exceptions(consent: Resource) -> list[Resource]:
    """Give the exceptions to what the Consent permits."""
    return list(consent.get("provision", {}).get("provision", ()))


def with_exceptions(consent: Resource, found: list[Resource]) -> Resource:
    """Give the Consent with exactly these exceptions."""
    rest = {name: value for name, value in consent["provision"].items() if name != "provision"}
    return {**consent, "provision": {**rest, "provision": found} if found else rest}


def reason_of(exception: Resource) -> str | None:
    """Give why an exception was made: unlinked, stopped, paused, opt-out; None where somebody else made it."""
    return _extension(exception, REASON, "valueCode")


def concerns(exception: Resource) -> list[str]:
    """Give the facilities that an exception is about; none: all."""
    return _actors(exception)


def without(consent: Resource, drop: Callable[[Resource], bool], only: Collection[str] = ()) -> Resource:
    """Give the Consent without the exceptions to drop; where `only` names facilities, they alone are taken out of each."""
    kept = []
    for each in exceptions(consent):
        if not drop(each):
            kept.append(each)
        elif only:
            left = [organization for organization in concerns(each) if organization not in only]
            if left or not concerns(each):
                kept.append({**each, "actor": [actor(organization) for organization in left]} if left else each)
    return with_exceptions(consent, kept)


def is_over(exception: Resource, moment: datetime, zone: tzinfo) -> bool:
    """Tell whether the time of an exception has passed (D7: it resumes by itself)."""
    end = exception.get("period", {}).get("end")
    return end is not None and date_span(end, zone)[1] < moment.timestamp() * 1000


def _actors(provision: Mapping[str, Any]) -> list[str]:
    return [each["reference"]["reference"] for each in provision.get("actor", ()) if "reference" in each.get("reference", {})]


def _extension(element: Mapping[str, Any], url: str, value: str) -> str | None:
    return next((each.get(value) for each in element.get("extension", ()) if each.get("url") == url), None)
