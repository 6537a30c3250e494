"""A notice as the secure mail of the network: a Communication to a facility's dedicated account.

https://hl7.org/fhir/R4/communication.html; NETWORK.md F035, F061-F063
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.notices.kinds import Kind, secure

SYSTEM: Final = "urn:tsunagi:notice"
"""System of Communication.category: the kinds of notices."""
_NETWORK: Final = "Organization/network"
_NAMESPACE: Final = UUID("b1ce0c4f-9f0a-5e53-8f5c-5f6a2f0f7e21")


def communication(
    desk: Desk, recipient: str, kind: Kind, facts: Mapping[str, str], *, event: str | None = None, about: Sequence[str] = ()
) -> Resource:
    """Make the secure mail of a notice, with an id that follows from recipient, kind and event: the same event is told once.

    `recipient` is "Organization/1" or "Patient/1", `about` what it tells of. Without an `event` the facts are what it is told by.
    """
    named = event if event is not None else sha256(repr(sorted(facts.items())).encode()).hexdigest()
    made: Resource = {
        "resourceType": "Communication",
        "id": str(uuid5(_NAMESPACE, f"{kind}|{named}|{recipient}")),
        "status": "completed",
        "category": [{"coding": [{"system": SYSTEM, "code": kind.value}]}],
        "recipient": [{"reference": recipient}],
        "sender": {"reference": _NETWORK},
        "sent": desk.now().astimezone(desk.terms.zone).isoformat(timespec="milliseconds"),
        "payload": [{"contentString": text} for text in secure(kind, facts)],
    }
    if about:
        made["about"] = [{"reference": each} for each in about]
    return made


def kind_of(communication: Resource) -> Kind | None:
    """Give the kind of a notice; None for any other Communication."""
    codings = [coding for concept in communication.get("category", ()) for coding in concept.get("coding", ())]
    code = next((coding.get("code") for coding in codings if coding.get("system") == SYSTEM), None)
    return Kind(code) if code in list(Kind) else None
