"""The audit log as the store knows it: AuditEvents that nobody has stored, read and found as resources are.

https://hl7.org/fhir/R4/auditevent.html; docs/decisions/0021-audit.md

AuditEvents that others have sent are ordinary resources, and a search of the type finds both. Where a search cannot lead through the log it is
refused: an answer without the log would look like "nothing happened".
"""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol, TypeAlias

from fhir_server.exchange import Version
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.entries import UPDATED
from fhir_server.search.expression import (
    NOTHING,
    And,
    Containing,
    Expression,
    Not,
    OfType,
    Or,
    Related,
    RelatedBy,
    Spans,
    Tells,
    WithId,
    Within,
)
from fhir_server.search.query import Query
from fhir_server.store.documents import milliseconds
from fhir_server.store.finding import Page
from fhir_server.store.past import Span
from fhir_server.store.permit import Permit
from fhir_server.store.writing import Write

TYPE: Final = "AuditEvent"
_BEGINNING: Final = f"{TYPE}/"

Ordinary: TypeAlias = Callable[[Query], Awaitable[Page]]
"""Finds among the AuditEvents that others have sent."""


class Trail(Protocol):
    """The log, as `fhir_server.audit.search` searches it."""

    def keeps(self, id: str) -> bool:
        """Tell whether an AuditEvent with this id is, or would be, one of the log."""

    async def read(self, id: str, limit: Expression) -> Version | None:
        """Give the AuditEvent of this id, None where there is none for which `limit` holds."""

    async def find(self, query: Query, expression: Expression, ordinary: Ordinary) -> Page:
        """Give one page of the log together with what is found among ordinary resources."""

    async def past(self, expression: Expression, after: tuple[int, str] | None, count: int) -> list[Version]:
        """Give so many events, newest first, below the time (ms since 1970) and the id of `after`."""


def kept(trail: Trail | None, references: Sequence[str]) -> list[str]:
    """Give the ids of those references that are of the log."""
    if trail is None:
        return []
    ids = (each.removeprefix(_BEGINNING) for each in references if each.startswith(_BEGINNING))
    return [id for id in ids if trail.keeps(id)]


def asks(trail: Trail | None, query: Query, permit: Permit) -> Query | None:
    """Give the query as the log is asked, None where it is not about the log.

    Raises FhirError (400 not-supported) where it would have to lead through the log, or asks for it together with other types.
    """
    if trail is None or permit.covers("search-type", TYPE) == NOTHING:
        return None
    for part in _parts(query.expression):
        if isinstance(part, RelatedBy) and part.type == TYPE:
            raise _refused("_has does not lead through the audit log: search AuditEvent by patient, agent or entity", query)
        if isinstance(part, Related) and part.types == (TYPE,):
            raise _refused("A chained parameter does not lead to the audit log: search AuditEvent itself", query)
        if isinstance(part, Containing) and part.type == TYPE:
            raise _refused("Events of the audit log contain nothing: search AuditEvent without _contained", query)
    if query.types != (TYPE,):
        if TYPE in query.types and any(name == "_type" for name, _ in query.understood):
            raise _refused("The audit log is searched by itself: GET [base]/AuditEvent, or _type=AuditEvent alone", query)
        return None
    if any(isinstance(part, Tells) and part.parameter == "_content" for part in _parts(query.expression)):
        raise _refused("_content does not look into the audit log: search AuditEvent by its other parameters", query)
    return replace(query, type=TYPE, across=())


def by_itself(types: Sequence[str], trail: Trail | None, how: str) -> None:
    """Raise FhirError (400 not-supported) where the log alone is asked for in a way that cannot show it."""
    if trail is not None and tuple(types) == (TYPE,):
        raise FhirError(Issue("not-supported", f"The audit log is not told of like this; {how}", (TYPE,)))


def unchanged(trail: Trail | None, writes: Sequence[Write]) -> None:
    """Raise FhirError (403) where anybody would create, change or delete what is the log's (S51)."""
    if trail is not None and kept(trail, [write.key for write in writes]):
        raise FhirError(Issue("forbidden", "Nobody writes or deletes the audit log / 監査記録は変更できません", (TYPE,)))


def history_of(event: Version, before: int | None, until: datetime | None) -> Page:
    """Give the history of one event: the only version that it will ever have."""
    told = (before is None or before > event.version) and (until is None or event.updated <= until)
    return Page((event,) if told else (), None, 1 if until is None else None)


async def with_events(trail: Trail, permit: Permit, span: Span, stored: Page) -> Page:
    """Give a page of the history of AuditEvents: what is stored, and the events of the log, newest first."""
    parts: list[Expression] = [OfType((TYPE,)), permit.covers("read", TYPE), permit.covers("search-type", TYPE)]
    if span.among is not None:
        parts.append(WithId(tuple(kept(trail, span.among))))
    parts += [Spans(UPDATED, "ge", at, at) for at in _milliseconds(span.since)]
    parts += [Spans(UPDATED, "le", at, at) for at in _milliseconds(span.high)]
    after = None if span.after is None else (span.after[0], span.after[1].removeprefix(_BEGINNING))
    events = await trail.past(And(tuple(parts)), after, span.count + 1)
    versions = sorted((*stored.versions, *events), key=lambda each: (each.updated, each.reference, each.version), reverse=True)
    page, more = tuple(versions[: span.count]), len(versions) > span.count or stored.after is not None
    last = (milliseconds(page[-1].updated), page[-1].reference, page[-1].version) if more and page else None
    return Page(page, last, len(versions) if span.after is None and not more else None)


def _milliseconds(moment: datetime | None) -> tuple[int, ...]:
    return () if moment is None else (milliseconds(moment),)


def _parts(expression: Expression) -> Iterator[Expression]:
    """The expression and all that is in it, the steps of chains too."""
    yield expression
    match expression:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _parts(part)
        case Not(part) | Within(part):
            yield from _parts(part)
        case Related(expression=part) | RelatedBy(expression=part) | Containing(expression=part):
            yield from _parts(part)


def _refused(text: str, query: Query) -> FhirError:
    return invalid(text, query.type or "Bundle", code="not-supported")
