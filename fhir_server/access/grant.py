"""Role, scopes and compartment as one Permit: three intersections, never alternatives.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
https://hl7.org/fhir/R4/compartmentdefinition-patient.html

Whatever a token does not say means no access: without a role, a scope, a facility or a patient where one is needed, nothing
is granted. docs/decisions/0018-access.md
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from fhir_server.access import roles
from fhir_server.auth.members import LOGIN_SYSTEM
from fhir_server.auth.requester import LOCAL, Requester
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, FACILITY_TYPE_SYSTEM, ROLE_SYSTEM, FacilityRole, Role
from fhir_server.auth.scopes import LETTERS, ResourceScope, ScopeError, ScopeGrammar, Scopes
from fhir_server.outcome import FhirError
from fhir_server.search import compartment
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Expression, ForPatient, HasPrefix, Not, Or, Present, WithId
from fhir_server.search.parameters import Parameters
from fhir_server.store.permit import Permit

LETTER: Final = {"read": "r", "search-type": "s", "create": "c", "update": "u", "delete": "d"}
_WRITES: Final = frozenset({"create", "update", "delete"})
_FIXED: Final = {"Patient": ("link",), "Person": ("link",)}
"""Who is whom is for the secretariat to say (名寄せ): no other write grafts one patient's record onto another's (S56)."""
_WITHOUT_LOGIN: Final = Not(HasPrefix("identifier", f"{LOGIN_SYSTEM}|"))
_MEMBERS: Final = {
    "PractitionerRole": Not(HasPrefix("role", f"{ROLE_SYSTEM}|")),
    "Organization": Not(Or((HasPrefix("type", f"{FACILITY_ROLE_SYSTEM}|"), HasPrefix("type", f"{FACILITY_TYPE_SYSTEM}|")))),
    "Practitioner": _WITHOUT_LOGIN,
}
"""What gives rights in the network, or takes them: only the secretariat writes it, whatever else facilities keep of these types."""
_MOST_REMEMBERED: Final = 2000


class Access:
    """Gives the permit of a requester; equal ones are made once. The role of testers is worth nothing outside of a `sandbox`."""

    def __init__(self, types: frozenset[str], parameters: Parameters, grammar: ScopeGrammar, *, sandbox: bool = False) -> None:
        self._types = types
        self._parameters = parameters
        self._grammar = grammar
        self._table = {role: rows for role, rows in roles.table(types).items() if sandbox or role is not Role.TESTER}
        self._last: dict[Requester, Permit] = {}
        self._made: OrderedDict[tuple[object, ...], Permit] = OrderedDict()

    def permit(self, requester: Requester) -> Permit:
        """Give what this requester may do: everything for the operator's own process, else what role and scopes share."""
        if requester is LOCAL:
            return Permit.everything()
        permit = self._last.get(requester)
        if permit is None:
            permit = self._shared(requester)
            if len(self._last) >= _MOST_REMEMBERED:
                self._last.clear()
            self._last[requester] = permit
        return permit

    def _shared(self, requester: Requester) -> Permit:
        key = (
            requester.role,
            requester.scope,
            requester.patient,
            requester.fhir_user if requester.role is Role.PATIENT else requester.is_person,
            requester.organization is not None,
            requester.facility_roles,
        )
        permit = self._made.get(key)
        if permit is None:
            permit = self._made[key] = self._grant(requester)
            if len(self._made) > _MOST_REMEMBERED:
                self._made.popitem(last=False)
        return permit

    def _grant(self, requester: Requester) -> Permit:
        try:
            scopes = self._grammar.parse(requester.scope)
        except ScopeError:
            scopes = Scopes()
        by_role = _by_role(self._table, requester)

        def granted(interaction: str, type: str) -> Expression:
            if LETTER.get(interaction, "?") not in by_role.get(type, ""):
                return NOTHING
            return self._expression(requester, scopes, interaction, type)

        fixed = {} if requester.role in (Role.SECRETARIAT, Role.TESTER) else _FIXED
        return Permit(Granted(granted, self._types), NOTHING, fixed, _why(requester, scopes, by_role))

    def _expression(self, requester: Requester, scopes: Scopes, interaction: str, type: str) -> Expression:
        parts = [self._by_scopes(requester, scopes.resources, interaction, type)]
        if requester.role is Role.PATIENT:
            parts.append(self._own(requester, type))
        if interaction in _WRITES and requester.role not in (Role.SECRETARIAT, Role.TESTER):
            parts.append(_MEMBERS.get(type, EVERYTHING))
        return _all(parts)

    def _by_scopes(self, requester: Requester, scopes: Iterable[ResourceScope], interaction: str, type: str) -> Expression:
        found = []
        for scope in scopes:
            if LETTER[interaction] in scope.letters and scope.type in (type, "*") and (scope.context == "system") != requester.is_person:
                limit = self._grammar.expression(scope, type)
                whose = (self._of_patient(requester.patient, type), self._about(requester.patient, interaction, type))
                found.append(_all([limit, *whose]) if scope.context == "patient" else limit)
        if EVERYTHING in found:
            return EVERYTHING
        distinct = tuple(dict.fromkeys(each for each in found if each != NOTHING))
        return distinct[0] if len(distinct) == 1 else Or(distinct)

    def _of_patient(self, patient: str | None, type: str) -> Expression:
        """Exactly the patient compartment; nothing without a patient, or for a type that no patient's compartment holds."""
        if patient is None:
            return NOTHING
        try:
            return compartment.expression("Patient", patient.partition("/")[2], type, self._parameters)
        except FhirError:
            return NOTHING

    def _about(self, patient: str | None, interaction: str, type: str) -> Expression:
        """What is written for a patient is about her: to be named in it, as a performer is, makes it nobody's to write (S31, S56)."""
        if interaction not in _WRITES or patient is None:
            return EVERYTHING
        if type == "Patient":
            return WithId((patient.partition("/")[2],))
        lead = self._parameters.lead(type)
        return Or((ForPatient(patient), Not(Present(lead)))) if lead is not None else EVERYTHING

    def _own(self, requester: Requester, type: str) -> Expression:
        """What a patient sees whatever the scopes say: his own compartment, and what tells of nobody."""
        if type == "Practitioner":
            return _WITHOUT_LOGIN  # whoever knows an ID can lock it (L04)
        if type in roles.DIRECTORY or type in roles.DEFINITIONS:
            return EVERYTHING
        user = requester.fhir_user or ""
        return self._of_patient(user if user.startswith("Patient/") else None, type)


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


def _by_role(table: Mapping[Role, Mapping[str, str]], requester: Requester) -> Mapping[str, str]:
    """What the role allows; a facility that provides no data writes none, and without a facility there is nothing (F004)."""
    role = requester.role
    if role is None:
        return {}
    rows = table.get(role, {})
    if role not in roles.OF_A_FACILITY:
        return rows
    if requester.organization is None or not requester.facility_roles:
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
