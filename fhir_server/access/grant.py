"""Role, scopes, compartment and consent as one Permit: intersections, never alternatives.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
https://hl7.org/fhir/R4/compartmentdefinition-patient.html

Whatever a token does not say means no access: without a role, a scope, a facility or a patient where one is needed, nothing
is granted. docs/decisions/0018-access.md
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fhir_server.access import roles
from fhir_server.access.basis import NO_BASIS, Basis, Sharing
from fhir_server.access.visibility import Facts, Visibility
from fhir_server.auth.members import LOGIN_SYSTEM, NETWORK
from fhir_server.auth.requester import Local, Requester
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, FACILITY_TYPE_SYSTEM, ROLE_SYSTEM, FacilityRole, Role
from fhir_server.auth.scopes import LETTERS, ScopeError, ScopeGrammar, Scopes
from fhir_server.consent.vocabulary import ACT_CODE, names
from fhir_server.outcome import FhirError
from fhir_server.search import compartment
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Expression, ForPatient, Has, HasPrefix, Not, Or, Present, WithId
from fhir_server.search.parameters import Parameters
from fhir_server.store.custody import CUSTODIAN, SHARED_BY_NETWORK
from fhir_server.store.permit import Permit

LETTER: Final = {"read": "r", "search-type": "s", "create": "c", "update": "u", "delete": "d"}
_WRITES: Final = frozenset({"create", "update", "delete"})
FIXED: Final = {"Patient": ("link",), "Person": ("link",)}
"""Who is whom is for the secretariat to say (名寄せ): no other write grafts one patient's record onto another's (S56)."""
_WITHOUT_LOGIN: Final = Not(HasPrefix("identifier", f"{LOGIN_SYSTEM}|"))
_MEMBERS: Final = {
    "PractitionerRole": Not(HasPrefix("role", f"{ROLE_SYSTEM}|")),
    "Organization": Not(Or((HasPrefix("type", f"{FACILITY_ROLE_SYSTEM}|"), HasPrefix("type", f"{FACILITY_TYPE_SYSTEM}|")))),
    "Practitioner": _WITHOUT_LOGIN,
    "Group": Not(HasPrefix("code", "urn:tsunagi:group|")),
}
"""What gives rights in the network, or takes them: only the secretariat writes it, whatever else facilities keep of these types."""
_TOLD: Final = Not(Or(tuple(Has("_security", f"{system}|NOPAT") for system in names(ACT_CODE))))
"""What a patient has not been told (未告知) is labelled so, and reaches no token of a patient (L28)."""
_BY_OPERATIONS: Final = Not(HasPrefix("code", "urn:tsunagi:task|"))
"""The network's own tasks go from state to state by its operations, which check who may decide what."""
_MOST_REMEMBERED: Final = 2000


class Access:
    """Gives the permit of a requester; equal ones are made once. The role of testers is worth nothing outside of a `sandbox`."""

    def __init__(
        self,
        types: frozenset[str],
        parameters: Parameters,
        grammar: ScopeGrammar,
        sharing: Sharing | None = None,
        *,
        sandbox: bool = False,
    ) -> None:
        self._types = types
        self._parameters = parameters
        self._grammar = grammar
        self._sharing = sharing
        self._table = {role: rows for role, rows in roles.table(types).items() if sandbox or role is not Role.TESTER}
        self._made: OrderedDict[Requester, tuple[Basis, Permit]] = OrderedDict()

    async def permit(self, requester: Requester) -> Permit:
        """Give what this requester may do now: everything for the operator's own process, else what role, scopes and consents share.

        Raises FhirError (503) where it cannot be known what patients allow at this moment.
        """
        if isinstance(requester, Local):
            return _of_operator(requester.organization)
        basis = await self._sharing.basis(requester) if self._sharing is not None else NO_BASIS
        made = self._made.get(requester)
        if made is not None and made[0] == basis:
            return made[1]
        permit = self._grant(requester, basis)
        self._made[requester] = (basis, permit)
        if len(self._made) > _MOST_REMEMBERED:
            self._made.popitem(last=False)
        return permit

    def _grant(self, requester: Requester, basis: Basis) -> Permit:
        try:
            scopes = self._grammar.parse(requester.scope)
        except ScopeError:
            scopes = Scopes()
        by_role = _by_role(self._table, requester, basis)
        asking = _Asking(requester, scopes, basis.facts, basis.visibility(requester, self._parameters))

        def granted(interaction: str, type: str) -> Expression:
            if LETTER.get(interaction, "?") not in by_role.get(type, ""):
                return NOTHING
            return self._expression(asking, interaction, type)

        grants = Granted(granted, self._types)
        free = requester.role in (Role.SECRETARIAT, Role.TESTER)
        custodian = NETWORK if requester.role is Role.SECRETARIAT else requester.organization
        attaches: Expression = EVERYTHING
        if requester.role in roles.OF_A_FACILITY:
            attaches = Or((Has(CUSTODIAN, requester.organization or ""), grants["read", "Patient"]))
        opening = basis.facts.opening
        return Permit(
            grants,
            NOTHING,
            {} if free else FIXED,
            _why(requester, scopes, by_role),
            custodian,
            attaches,
            under=opening.reference if opening is not None else "",
            reason=opening.reason if opening is not None else "",
        )

    def _expression(self, asking: "_Asking", interaction: str, type: str) -> Expression:
        requester = asking.requester
        parts = [self._by_scopes(asking, interaction, type)]
        if requester.role is Role.PATIENT:
            parts.append(self._own(asking.facts.own, type))
        if requester.role in roles.OF_A_FACILITY:
            parts.append(_in_custody(requester) if interaction in _WRITES else asking.may_see(type))
        if interaction in _WRITES and requester.role is not Role.TESTER:
            parts.append(_BY_OPERATIONS if type == "Task" else EVERYTHING)
            parts.append(EVERYTHING if requester.role is Role.SECRETARIAT else _MEMBERS.get(type, EVERYTHING))
        return _all(parts)

    def _by_scopes(self, asking: "_Asking", interaction: str, type: str) -> Expression:
        requester = asking.requester
        found = []
        for scope in asking.scopes.resources:
            if LETTER[interaction] in scope.letters and scope.type in (type, "*") and (scope.context == "system") != requester.is_person:
                limit = self._grammar.expression(scope, type)
                whose = (self._of_patients(asking.facts.chosen, type), self._about(requester.patient, interaction, type))
                found.append(_all([limit, *whose]) if scope.context == "patient" else limit)
        if EVERYTHING in found:
            return EVERYTHING
        distinct = tuple(dict.fromkeys(each for each in found if each != NOTHING))
        return distinct[0] if len(distinct) == 1 else Or(distinct)

    def _of_patients(self, patients: Sequence[str], type: str) -> Expression:
        """Exactly the patients' compartments; nothing without a patient, or for a type that no patient's compartment holds."""
        try:
            each = [compartment.expression("Patient", patient.partition("/")[2], type, self._parameters) for patient in patients]
        except FhirError:
            return NOTHING
        return each[0] if len(each) == 1 else Or(tuple(each))

    def _about(self, patient: str | None, interaction: str, type: str) -> Expression:
        """What is written for a patient is about her: to be named in it, as a performer is, makes it nobody's to write (S31, S56)."""
        if interaction not in _WRITES or patient is None:
            return EVERYTHING
        if type == "Patient":
            return WithId((patient.partition("/")[2],))
        lead = self._parameters.lead(type)
        return Or((ForPatient(patient), Not(Present(lead)))) if lead is not None else EVERYTHING

    def _own(self, own: tuple[str, ...], type: str) -> Expression:
        """What a patient sees whatever the scopes say: his own compartment without what he is not told (L28), and what tells of nobody."""
        if type == "Practitioner":
            return _WITHOUT_LOGIN  # whoever knows an ID can lock it (L04)
        if type in roles.DIRECTORY or type in roles.DEFINITIONS:
            return EVERYTHING
        kept = EVERYTHING if type in SHARED_BY_NETWORK else Not(Has(CUSTODIAN, NETWORK))  # decisions tell of others, too
        return _all([self._of_patients(own, type), _TOLD, kept])


@dataclass(frozen=True)
class _Asking:
    """Who asks, and what is known of what he may see."""

    requester: Requester
    scopes: Scopes
    facts: Facts
    visibility: Visibility | None

    def may_see(self, type: str) -> Expression:
        """Give what a facility's requester may read of the type."""
        return self.visibility.expression(type) if self.visibility is not None else _in_custody(self.requester)


class Granted(Mapping[tuple[str, str], Expression]):
    """What is granted of each interaction and type, found out when it is first asked: a requester comes for few of 146 types."""

    __slots__ = ("_find", "_known", "_types")

    def __init__(self, find: Callable[[str, str], Expression], types: frozenset[str]) -> None:
        self._find = find
        self._types = types
        self._known: dict[tuple[str, str], Expression] = {}

    def __getitem__(self, key: tuple[str, str]) -> Expression:
        """Give what must hold; NOTHING for what is not granted."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._find(*key)
        return known

    def get(self, key: tuple[str, str], default: object = None) -> Expression:  # noqa: ARG002 - nothing is missing
        """Give what must hold, without the detour of Mapping's."""
        return self[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((interaction, type) for type in sorted(self._types) for interaction in LETTER if self[interaction, type] != NOTHING)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _of_operator(organization: str | None) -> Permit:
    """Everything; an import for a facility touches nobody else's (S31), and leaves who is whom as it is (S56)."""
    if organization in (None, NETWORK):
        return Permit.everything(organization)
    own = Or((Has(CUSTODIAN, organization), Not(Present(CUSTODIAN))))
    return Permit(_OfImport(own), EVERYTHING, FIXED, None, organization)


class _OfImport(dict[tuple[str, str], Expression]):
    """Writes are limited to what holds `own`; reads are not."""

    def __init__(self, own: Expression) -> None:
        super().__init__()
        self._own = own

    def get(self, key: tuple[str, str], default: Any = None) -> Any:
        """Give what must hold."""
        return self._own if key[0] in _WRITES else default


def _in_custody(requester: Requester) -> Expression:
    """A facility writes what is its own: nobody's record becomes another's, nothing of others is changed (S31)."""
    return Has(CUSTODIAN, requester.organization or "")


def _by_role(table: Mapping[Role, Mapping[str, str]], requester: Requester, basis: Basis) -> Mapping[str, str]:
    """What the role allows; a facility that provides no data writes none, and without a facility there is nothing (F004, D11)."""
    role = requester.role
    if role is None:
        return {}
    rows = table.get(role, {})
    if role not in roles.OF_A_FACILITY:
        return rows
    if requester.organization is None or not requester.facility_roles or basis.has_left(requester.organization):
        return {}
    if FacilityRole.PROVIDING not in requester.facility_roles:
        return {type: "".join(letter for letter in letters if letter in roles.READ) for type, letters in rows.items()}
    return rows


def _all(parts: Sequence[Expression]) -> Expression:
    if NOTHING in parts:
        return NOTHING
    limits = tuple(dict.fromkeys(part for part in parts if part != EVERYTHING))
    if not limits:
        return EVERYTHING  # the very one: reads of the same moment are one query where they have the same limit
    return limits[0] if len(limits) == 1 else And(limits)


def _why(requester: Requester, scopes: Scopes, by_role: Mapping[str, str]) -> Callable[[str, str], tuple[str, Sequence[tuple[str, str]]]]:
    """Tell the client's developer which scope, role or claim was lacking; nothing of it depends on what is stored."""
    context = next(iter(scopes.contexts), "user" if requester.is_person else "system")

    def why(interaction: str, type: str) -> tuple[str, Sequence[tuple[str, str]]]:
        letter = LETTER.get(interaction, LETTERS)
        needed = f"{context}/{type}.{letter}"
        if requester.role is None:
            return "The access token names no role: nothing is permitted", ()
        if letter not in by_role.get(type, ""):
            reason = f"The role {requester.role} does not permit {interaction} of {type}"
            if requester.role in roles.OF_A_FACILITY and not by_role:
                reason = "The access token names no facility that takes part in the network"
            return f"{reason} / この役割では許可されていません", ()
        challenge = f'Bearer error="insufficient_scope", scope="{needed}"'
        if context == "patient" and requester.patient is None:
            return "Scopes of patient/ need a patient in the access token (scope launch/patient)", (("WWW-Authenticate", challenge),)
        text = f"{interaction} of {type} needs the scope {needed}, and of it what the scopes granted leave / スコープが不足しています"
        return text, (("WWW-Authenticate", challenge),)

    return why
