"""A search as a Query: what the pairs of its query string mean.

https://hl7.org/fhir/R4/search.html

Strict handling refuses what is not understood; lenient handling leaves unknown parameters out and tells which. What
would change the meaning silently is refused under both: modifiers that are not supported, values that cannot be read.
https://hl7.org/fhir/R4/http.html#prefer
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from fhir_server.outcome import FhirError, invalid, name_shown
from fhir_server.search import compartment, contained, filter_parameter, paging
from fhir_server.search.conditions import Conditions, TooCostly, UnknownParameter, leads_back
from fhir_server.search.controls import ONCE, Controls, Sort, Total, control, is_control
from fhir_server.search.expression import And, Expression, OfType, Or
from fhir_server.search.include import Include
from fhir_server.search.limits import Limits
from fhir_server.search.parameters import Parameters
from fhir_server.search.summary import WHOLE, View
from fhir_server.search.types.asked import Asked, Refused

Pair = tuple[str, str]

_OF_THE_ANSWER = ("_format", "_pretty")  # about its form, not about what is found
_TYPE = "_type"


@dataclass(frozen=True, slots=True)
class Query:
    """A search that has been understood.

    `type` is empty where several types are searched, which `across` names then. `expression` holds OfType and everything
    asked of the resource; Related and RelatedBy may be inside. `count` is the size of a page, 0 asks for the total only.
    `after` is the place where the page begins, `token` what the request said of it (see `paging`). `understood` are the
    pairs that had a meaning, for the links; `_count` in it is what is served, the place of the page is left out. `ignored`
    are pairs that meant nothing, only ever under lenient handling. `contained` is the type of which contained resources are
    answered in place of their containers.
    """

    type: str
    expression: Expression
    sort: tuple[Sort, ...] = ()
    count: int = 0
    total: Total | None = None
    view: View = WHOLE
    after: paging.Place | None = None
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    understood: tuple[Pair, ...] = ()
    ignored: tuple[Pair, ...] = ()
    across: tuple[str, ...] = ()
    token: str | None = None
    contained: str | None = None

    @property
    def types(self) -> tuple[str, ...]:
        """Every type that is searched."""
        return self.across or (self.type,)


def parse(
    type: str | None,
    pairs: Sequence[Pair],
    parameters: Parameters,
    *,
    strict: bool,
    zone: tzinfo,
    limits: Limits,
    now: datetime,
    base: str = "",
    within: str | None = None,
    served: Sequence[str] = (),
) -> Query:
    """Understand a search of one type, or (type None) of those that `_type` names, else of all that are `served`.

    Raises FhirError, whose expression names the pair: `Patient?birthdate`. `now` (with a zone) is what `ap` on dates is
    relative to; `base` is the server's own address: references that begin with it are local. `within` is the compartment
    that is searched, `Patient/1`.
    """
    if type is not None and type not in parameters.types:
        raise invalid("This resource type does not exist", code="not-supported", status=404)
    if len(pairs) > limits.parameters:
        raise invalid(f"A search has at most {limits.parameters} parameters", type or "Bundle", code="too-costly")
    asked = Asked(zone, int(now.timestamp() * 1000), base, limits.near * 1000.0)
    types = (type,) if type is not None else _named(pairs, parameters, served, within)
    reading = _Reading(type, types, parameters, Conditions(parameters, asked, limits), limits)
    if within is not None:
        reading.limit(within)
    for name, value in pairs:
        reading.take(name, value, strict=strict)
    return reading.query()


def _named(pairs: Sequence[Pair], parameters: Parameters, served: Sequence[str], within: str | None) -> tuple[str, ...]:
    """The types of a search across types; repeated, `_type` means those that are in each."""
    types = tuple(served) or tuple(sorted(parameters.types))
    for name, value in pairs:
        if name == _TYPE:
            unknown = [each for each in value.split(",") if each not in parameters.types]
            if unknown:
                raise invalid("_type names what is no resource type", "Bundle?_type", code="not-supported")
            types = tuple(each for each in types if each in value.split(","))
    if within is not None and not any(name == _TYPE for name, _ in pairs):
        types = compartment.members(within.partition("/")[0], types, parameters) or types
    return types


class _Reading:
    """The pairs of one query, taken one after the other."""

    def __init__(self, type: str | None, types: tuple[str, ...], parameters: Parameters, conditions: Conditions, limits: Limits) -> None:
        self._type, self._types, self._parameters, self._conditions, self._limits = type, types, parameters, conditions, limits
        self._controls = Controls(min(limits.count, limits.most))
        self._parts: dict[str, list[Expression]] = {each: [] for each in types}
        self._understood: list[Pair] = []
        self._ignored: list[Pair] = []
        self._token: str | None = None
        self._within = False

    def limit(self, within: str) -> None:
        """Search in this compartment only."""
        self._within = True
        name, _, id = within.partition("/")
        for type, parts in self._parts.items():
            parts.append(compartment.expression(name, id, type, self._parameters))

    def take(self, name: str, value: str, *, strict: bool) -> None:
        if name in _OF_THE_ANSWER:
            return
        if not value and not strict:
            self._ignored.append((name, value))
            return
        try:
            self._understand(name, value)
        except UnknownParameter as refused:
            if strict:
                raise self._failure(name, refused) from None
            self._ignored.append((name, value))
        except Refused as refused:
            if strict or not is_control(name):
                raise self._failure(name, refused) from None
            self._ignored.append((name, value))

    def _understand(self, name: str, value: str) -> None:
        if not value:
            raise Refused("The value is empty")
        if "\0" in value or not paging.is_encodable(name + value):
            raise Refused("The value holds characters that no resource can")
        if name == paging.PARAMETER:
            self._token = value
            return
        if name == _TYPE and self._type is None:
            pass  # known from the beginning
        elif not is_control(name):
            self._ask(name, value)
        elif name in ONCE and any(name == earlier for earlier, _ in self._understood):
            raise Refused(f"{name} is given more than once")
        else:
            control(self._controls, name, value, types=self._types, parameters=self._parameters, limits=self._limits)
        self._understood.append((name, str(self._controls.count) if name == "_count" else value))

    def _ask(self, name: str, value: str) -> None:
        """Ask the same of each type; what every resource has means the same for all of them."""
        common = None
        for type in self._types:
            if common is None or not _is_of_every_resource(name) or name.partition(":")[0] not in self._parameters.of(type):
                common = self._condition(type, name, value)
            if len(self._types) > self._limits.chain_targets and leads_back(common):
                raise TooCostly(f"{name.partition(':')[0]} asks of too many types: name up to {self._limits.chain_targets} with _type")
            self._parts[type].append(common)

    def _condition(self, type: str, name: str, value: str) -> Expression:
        if name == filter_parameter.NAME:
            return filter_parameter.expression(value, type, self._conditions)
        return self._conditions.condition(type, name, value)

    def _failure(self, name: str, refused: Refused) -> FhirError:
        return invalid(refused.diagnostics, f"{self._type or 'Bundle'}?{name_shown(name, 200)}", code=refused.code)

    def query(self) -> Query:
        controls = self._controls
        inside = controls.contained != "false"
        across = tuple(sorted(self._parameters.types)) if inside else () if self._type is not None else self._types
        return Query(
            type="" if inside else self._type or "",
            expression=self._among_contained(across) if inside else self._expression(),
            sort=controls.sort,
            count=0 if controls.view.summary == "count" else controls.count,
            total=controls.total,
            view=controls.view,
            includes=tuple(dict.fromkeys(controls.includes)),
            revincludes=tuple(dict.fromkeys(controls.revincludes)),
            understood=tuple(self._understood),
            ignored=tuple(self._ignored),
            across=across,
            token=self._token,
            contained=self._type if inside and controls.contained_type == "contained" else None,
        )

    def _among_contained(self, containers: tuple[str, ...]) -> Expression:
        """Ask for containers, of any type, and (both) for what is of the type by itself."""
        sorted_by = {key.parameter for key in self._controls.sort}
        try:
            if self._type is None or self._within or not sorted_by <= {"_id", "_lastUpdated"}:
                raise Refused("Contained resources are searched by one type, outside of compartments, in the order of _id or _lastUpdated")
            parts = tuple(dict.fromkeys(self._parts[self._type]))
            return contained.among(self._type, parts, containers, both=self._controls.contained == "both")
        except Refused as refused:
            raise self._failure("_contained", refused) from None

    def _expression(self) -> Expression:
        """Everything asked, once for all types of which the same is asked; what refers back is each type's own."""
        if self._type is not None:
            return And(tuple(dict.fromkeys((OfType(self._types), *self._parts[self._type]))))
        groups: dict[tuple[tuple[Expression, ...], str], list[str]] = {}
        for type, asked in self._parts.items():
            parts = tuple(dict.fromkeys(asked))
            own = type if any(map(leads_back, parts)) else ""
            groups.setdefault((parts, own), []).append(type)
        alternatives = [And((OfType(tuple(types)), *parts)) for (parts, _), types in groups.items()]
        if len(alternatives) == 1:
            return And(tuple(dict.fromkeys(alternatives[0].parts)))
        return And((OfType(self._types), Or(tuple(alternatives))))


def _is_of_every_resource(name: str) -> bool:
    """Tell whether the parameter is one of Resource or DomainResource, such as _id and _tag, and asks of nothing else."""
    return name.startswith("_") and not name.startswith("_has") and name not in ("_list", filter_parameter.NAME)
