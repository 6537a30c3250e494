"""A search as a Query: what the pairs of its query string mean.

https://hl7.org/fhir/R4/search.html

Strict handling refuses what is not understood; lenient handling leaves unknown parameters out and tells which. What
would change the meaning silently is refused under both: modifiers that are not supported, values that cannot be read.
https://hl7.org/fhir/R4/http.html#prefer
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from fhir_server.outcome import FhirError, invalid
from fhir_server.search import paging
from fhir_server.search.conditions import Conditions, UnknownParameter
from fhir_server.search.controls import ONCE, Controls, Sort, Summary, Total, control, is_control
from fhir_server.search.expression import And, Expression, OfType
from fhir_server.search.include import Include
from fhir_server.search.limits import Limits
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.asked import Asked, Refused

Pair = tuple[str, str]

_OF_THE_ANSWER = ("_format", "_pretty")  # about its form, not about what is found


@dataclass(frozen=True, slots=True)
class Query:
    """A search that has been understood.

    `expression` holds OfType and everything asked of the resource; Related and RelatedBy may be inside. `count` is the
    size of a page, 0 asks for the total only. `after` is the place where the page begins (see `paging`). `understood`
    are the pairs that had a meaning, for the links; `_count` in it is what is served, the place of the page is left
    out. `ignored` are pairs that meant nothing, only ever under lenient handling.
    """

    type: str
    expression: Expression
    sort: tuple[Sort, ...] = ()
    count: int = 0
    total: Total | None = None
    summary: Summary = "false"
    after: paging.Place | None = None
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    understood: tuple[Pair, ...] = ()
    ignored: tuple[Pair, ...] = ()


def parse(
    type: str,
    pairs: Sequence[Pair],
    parameters: Parameters,
    *,
    strict: bool,
    zone: tzinfo,
    limits: Limits,
    now: datetime,
    base: str = "",
) -> Query:
    """Understand a search of one type. Raises FhirError, whose expression names the pair: `Patient?birthdate`.

    `now` (with a zone) is what `ap` on dates is relative to; `base` is the server's own address: references that
    begin with it are local.
    """
    if type not in parameters.types:
        raise invalid("This resource type does not exist", code="not-supported", status=404)
    if len(pairs) > limits.parameters:
        raise invalid(f"A search has at most {limits.parameters} parameters", type, code="too-costly")
    asked = Asked(zone, int(now.timestamp() * 1000), base)
    reading = _Reading(type, parameters, Conditions(parameters, asked, limits), limits)
    for name, value in pairs:
        reading.take(name, value, strict=strict)
    return reading.query()


class _Reading:
    """The pairs of one query, taken one after the other."""

    def __init__(self, type: str, parameters: Parameters, conditions: Conditions, limits: Limits) -> None:
        self._type, self._parameters, self._conditions, self._limits = type, parameters, conditions, limits
        self._controls = Controls(min(limits.count, limits.most))
        self._parts: list[Expression] = [OfType((type,))]
        self._understood: list[Pair] = []
        self._ignored: list[Pair] = []
        self._token: str | None = None

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
        if not is_control(name):
            self._parts.append(self._conditions.condition(self._type, name, value))
        elif name in ONCE and any(name == earlier for earlier, _ in self._understood):
            raise Refused(f"{name} is given more than once")
        else:
            self._controls = control(self._controls, name, value, type=self._type, parameters=self._parameters, limits=self._limits)
        self._understood.append((name, str(self._controls.count) if name == "_count" else value))

    def _failure(self, name: str, refused: Refused) -> FhirError:
        return invalid(refused.diagnostics, f"{self._type}?{_printable(name)}", code=refused.code)

    def query(self) -> Query:
        understood, controls = tuple(self._understood), self._controls
        return Query(
            type=self._type,
            expression=And(tuple(dict.fromkeys(self._parts))),
            sort=controls.sort,
            count=0 if controls.summary == "count" else controls.count,
            total=controls.total,
            summary=controls.summary,
            after=paging.decode(self._token, self._type, understood) if self._token is not None else None,
            includes=tuple(dict.fromkeys(controls.includes)),
            revincludes=tuple(dict.fromkeys(controls.revincludes)),
            understood=understood,
            ignored=tuple(self._ignored),
        )


def _printable(name: str) -> str:
    """A name as sent, as far as it can be shown."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)[:200]
