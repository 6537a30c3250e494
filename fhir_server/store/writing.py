"""What a write does to what is stored: decided here, without a database.

https://hl7.org/fhir/R4/http.html#versioning
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from fhir_server.exchange import Version
from fhir_server.outcome import conflict
from fhir_server.search.query import Query
from fhir_server.store.custody import NOBODYS, Custody
from fhir_server.store.documents import (
    MADE_BY_DELETE,
    Prepared,
    Ties,
    deletion,
    document,
    kept_place,
    milliseconds,
    place,
    stamped,
    to_the_millisecond,
    version,
)

Clock: TypeAlias = Callable[[], datetime]
Stored: TypeAlias = Mapping[str, Any]


class Changed(Exception):  # noqa: N818 - the writer searches again
    """What a search found before a conditional write is not so any more."""


@dataclass(frozen=True, slots=True)
class Create:
    """A new resource; its id must be one that nobody has. `unless`: only while nothing answers this search."""

    prepared: Prepared
    unless: Query | None = None

    @property
    def key(self) -> str:
        """The literal reference of what is written."""
        return self.prepared.key


@dataclass(frozen=True, slots=True)
class Put:
    """The next version of a resource, the first one where there is none (or it was deleted).

    `if_match` is the version that has to be current. `unless_same`: where exactly this is stored already, nothing is
    written. `only_create`: what exists stays as it is. `hopeful`: there is probably none, so it is worth inserting before
    looking. `expected` is the version that a search or read has found, 0 where there was none; `unless`: only while nothing answers this search.
    `method` is the verb that the history tells.
    """

    prepared: Prepared
    if_match: int | None = None
    unless_same: bool = False
    only_create: bool = False
    hopeful: bool = False
    expected: int | None = None
    unless: Query | None = None
    method: str = "PUT"

    @property
    def key(self) -> str:
        """The literal reference of what is written."""
        return self.prepared.key


@dataclass(frozen=True, slots=True)
class Delete:
    """The resource is gone; where it is or never was, nothing is written (and `Version.version` is 0 if it never was).

    `expected` is the version that a search has found.
    """

    type: str
    id: str
    if_match: int | None = None
    expected: int | None = None

    @property
    def key(self) -> str:
        """The literal reference of what is deleted."""
        return f"{self.type}/{self.id}"


Write: TypeAlias = Create | Put | Delete


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do for one write: put `new` in the place of `old` (None: it is the first), or nothing (`new` None).

    `version` is the answer once that is done.
    """

    version: Version
    new: dict[str, Any] | None = None
    old: Stored | None = None


def decide(write: Write, current: Stored | None, clock: Clock, ties: Ties, custody: Custody = NOBODYS) -> Decision:
    """Decide what the write does to the current document, None where there is none; `custody` is whose the result is.

    Raises FhirError: 412 where If-Match names another version, 413 where MongoDB cannot hold the resource. Raises Changed
    where another version was expected.
    """
    if isinstance(write, Delete):
        return _decide_delete(write, current, clock, custody)
    if isinstance(write, Put):
        _check_match(write.if_match, current, write.prepared.type)
        _check_expected(write.expected, current)
        if current is not None and _is_there(current):
            unchanged = write.only_create or (write.unless_same and _same(write.prepared, current, custody))
            if unchanged:
                return Decision(version(current, "unchanged"))
    return _next(write.prepared, "POST" if isinstance(write, Create) else write.method, current, clock, ties, custody=custody)


def _next(prepared: Prepared, method: str, current: Stored | None, clock: Clock, ties: Ties, *, custody: Custody) -> Decision:
    updated, number = _moment(clock, current), _number(current)
    body = stamped(prepared.resource, number, updated, custody.custodian)
    there = current is not None and _is_there(current)
    where = _place(prepared, current if there else None, updated, ties)
    made = document(prepared, body, version=number, updated=updated, method=method, place=where, custody=custody)
    return Decision(version(made, "updated" if there else "created"), made, current)


def _place(prepared: Prepared, current: Stored | None, updated: datetime, ties: Ties) -> int:
    """What has no date stands where it was when it was new."""
    date = prepared.entries.date
    if current is not None:
        return kept_place(date, current["o"])
    return place(date or milliseconds(updated), ties.next(), dated=bool(date))


def _decide_delete(write: Delete, current: Stored | None, clock: Clock, custody: Custody) -> Decision:
    _check_match(write.if_match, current, write.type)
    _check_expected(write.expected, current)
    if current is None:
        never = Version(write.type, write.id, 0, to_the_millisecond(clock()), None, MADE_BY_DELETE, "unchanged")
        return Decision(never)
    if not _is_there(current):
        return Decision(version(current, "unchanged"))
    gone = deletion(current, _number(current), _moment(clock, current), custody)
    return Decision(version(gone, "deleted"), gone, current)


def _check_match(if_match: int | None, current: Stored | None, type: str) -> None:
    if if_match is not None and (current is None or not _is_there(current) or current["v"] != if_match):
        raise conflict("The current version is another one than If-Match names", type, status=412)


def _check_expected(expected: int | None, current: Stored | None) -> None:
    if expected is not None and expected != (current["v"] if current is not None and _is_there(current) else 0):
        raise Changed


def _is_there(current: Stored) -> bool:
    return bool(current["m"] != MADE_BY_DELETE)


def _same(prepared: Prepared, current: Stored, custody: Custody) -> bool:
    """The same JSON, to the order of keys and the zeros of decimals, apart from the two stamps."""
    updated: datetime = current["u"]
    return bool(stamped(prepared.resource, current["v"], updated.astimezone(UTC), custody.custodian) == current["b"])


def _number(current: Stored | None) -> int:
    """Versions count on through deletions, so that none is ever used twice."""
    return 1 if current is None else int(current["v"]) + 1


def _moment(clock: Clock, current: Stored | None) -> datetime:
    """Clocks may go backwards; a resource's lastUpdated does not."""
    now = to_the_millisecond(clock())
    return now if current is None else max(now, current["u"])
