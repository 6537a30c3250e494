"""Why somebody reads without consent: one of the law's cases, and his own words.

NETWORK.md F025, L20; the code system urn:tsunagi:emergency-reason.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from fhir_server.outcome import FhirError, Issue
from profiles.definitions import Definitions

SYSTEM: Final = "urn:tsunagi:emergency-reason"
SHORTEST: Final = 5
"""Characters, of which a reason has to have more than blanks and one sign over and over."""
LONGEST: Final = 1000
_KINDS_OF_SIGNS: Final = 3


@cache
def titles(definitions: Definitions) -> Mapping[str, tuple[str, str]]:
    """Give for each code what it means, in Japanese and English."""
    system = next(each for each in definitions.networks if each.get("url") == SYSTEM)
    return {each["code"]: (each["designation"][0]["value"], each["display"]) for each in system["concept"]}


def checked_reason(code: Any, text: Any, definitions: Definitions) -> tuple[str, str]:
    """Give code and text of a reason. Raises FhirError: 403 without one (F025), 422 for a code that is none of the law's cases."""
    words = checked_text(text, "reason")
    if code is None:
        raise _unreasoned("reasonCode")
    if code not in titles(definitions):
        known = ", ".join(titles(definitions))
        raise FhirError(Issue("code-invalid", f"reasonCode is one of {known} ({SYSTEM})", (_place("reasonCode"),)))
    return str(code), words


def checked_text(text: Any, name: str) -> str:
    """Give a reason in somebody's own words. Raises FhirError: 403 where it says nothing, 422 where it is too long."""
    words = " ".join(str(text or "").split())
    if len(words) < SHORTEST or len(set(words.replace(" ", ""))) < _KINDS_OF_SIGNS:
        raise _unreasoned(name)
    if len(words) > LONGEST:
        raise FhirError(Issue("business-rule", f"{name} has at most {LONGEST} characters", (_place(name),)))
    return words


def _unreasoned(name: str) -> FhirError:
    text = f"Nothing is opened without a reason: {name} is missing or says nothing / 理由のない閲覧は許可されません"
    return FhirError(Issue("forbidden", text, (_place(name),)))


def _place(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}')"
