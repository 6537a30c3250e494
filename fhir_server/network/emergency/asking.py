"""What every operation of an emergency asks first of the request itself: POST, a scope, a person."""

import re
from typing import Final

from fhir_server.network.desk import Asked
from fhir_server.outcome import FhirError, Issue, invalid

_REFERENCE: Final = re.compile(r"([A-Z][A-Za-z]{1,40})/[A-Za-z0-9\-.]{1,64}")


def posted(asked: Asked, interaction: str, type: str) -> None:
    """Raise FhirError unless it came by POST (405) with a scope for the interaction with this type (403)."""
    if asked.request.by_get:
        issue = Issue("not-supported", f"${asked.request.operation} changes what is stored: use POST", ("http.method",))
        raise FhirError(issue, status=405, headers=(("Allow", "POST"),))
    asked.seen.permit.require(interaction, (type,))


def person(asked: Asked) -> str:
    """Give the Practitioner who asks; raises FhirError (403) where it is none."""
    practitioner = asked.requester.fhir_user or ""
    if not practitioner.startswith("Practitioner/"):
        raise FhirError(Issue("forbidden", "Only a person may ask for this / 個人としてのログインが必要です", ("http.path",)))
    return practitioner


def named(asked: Asked, name: str, *types: str) -> str | None:
    """Give the literal reference in a parameter, None where it is absent. Raises FhirError (400) for what is none to these types."""
    value = asked.arguments.one(name)
    if value is None:
        return None
    text = value.get("reference") if isinstance(value, dict) else value
    found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if found is None or found[1] not in types:
        raise invalid(
            f"{name} is a reference {' or '.join(f'{type}/[id]' for type in types)}",
            f"Parameters.parameter.where(name='{name}')",
            code="value",
        )
    return str(text)
