"""The gates: why somebody does not see a patient's data, each with a patient of its own and a reader who stands before it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from tests.access.secured import requester
from tests.access.sharing import consent, denied, facility, physician

Consents = Callable[[int], dict[str, Any]]


class State(Enum):
    """When a consent reaches the documents: it is settled, it still waits, or its end does."""

    SETTLED = "settled"
    PENDING = "pending"
    ENDING = "ended, pending"


@dataclass(frozen=True)
class Gate:
    """`reader` does not see of patient `n`, at `custodian`, what is hidden; of `consent` the last version counts.

    `before` is a former version of it, `owner` whose the reader's own patient is; `linked`: that is the same person. `whole`: the Patient is
    hidden, too, and not only what there is of her, apart from the types `shown`.
    """

    n: int
    reader: Requester
    owner: str
    custodian: str = facility("A")
    consent: Consents | None = None
    before: Consents | None = None
    state: State = State.SETTLED
    whole: bool = True
    linked: bool = False
    shown: tuple[str, ...] = ()


def _form(letters: str, **facts: Any) -> Consents:
    return lambda n: consent(letters, n, id=f"consent-{n}", **facts)


def _under(**conditions: Any) -> Consents:
    def made(n: int) -> dict[str, Any]:
        form = consent("AB", n, id=f"consent-{n}")
        return {**form, "provision": {**form["provision"], **conditions}}

    return made


def _at(letter: str, n: int, **facts: Any) -> Gate:
    who = facts.pop("reader", None) or physician(letter)
    return Gate(n, who, facts.pop("owner", facility(letter)), **facts)


_SECRET = [{"coding": [{"system": "urn:secret", "code": "nothing-has-it"}]}]
_LABEL = [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]
_LIMITED = "user/Observation.rsu?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs user/Practitioner.rs"
_NOBODY = {"organization": None, "facility": None, "facility_roles": frozenset()}
_CLERK = requester(Role.CLERK, organization=facility("E"), facility_roles=frozenset({"viewing"}), fhir_user="Practitioner/c")

GATES: Final[dict[str, Gate]] = {
    "scope": _at("A", 7301, reader=physician("A", scope=_LIMITED)),
    "compartment": _at("A", 7302, reader=physician("A", scope="patient/*.cruds", patient="Patient/own-7302")),
    "patient": _at("A", 7303, reader=requester(Role.PATIENT, "patient/*.rs", patient="Patient/own-7303",
                                               **(_NOBODY | {"fhir_user": "Patient/own-7303"}))),
    "role": _at("E", 7304, reader=_CLERK, custodian=facility("E"), whole=False, shown=("Encounter", "Communication")),
    "no consent": _at("D", 7305),
    "not named": _at("D", 7306, consent=_form("AB")),
    "not named, pending": _at("D", 7307, consent=_form("AB"), state=State.PENDING),
    "not published": _at("B", 7308, consent=_form("AB", published=False), linked=True),
    "not linked": _at("D", 7309, consent=_form("AD")),
    "stopped": _at("B", 7310, before=_form("AB"), consent=_form("AB", status="inactive"), linked=True),
    "stopped, pending": _at("B", 7311, before=_form("AB"), consent=_form("AB", status="inactive"), state=State.ENDING, linked=True),
    "partly stopped, pending": _at("B", 7312, before=_form("AB"), consent=_under(provision=[denied("B")]), state=State.ENDING, linked=True),
    "conditions": _at("B", 7313, consent=_under(code=_SECRET), linked=True, whole=False),
    "label": _at("B", 7314, consent=_under(provision=[{"type": "deny", "securityLabel": _LABEL}]), linked=True, whole=False),
    "left": _at("F", 7315, consent=_form("AF"), linked=True),
    "no emergency": _at("B", 7316, reader=physician("B", "BTG")),
}  # fmt: skip
