"""The stored form of one version of a resource.

The document holds the exact JSON to serve and, packed beside it, everything the resource is found by:

    _id  "Type/id"                     o  place in the order of results (see `place`)
    t    type                          e  entries, and "" (by_entry)
    v    version, 1, 2, ...            p  the patient, "*" where several; ps: all of them where several
    u    meta.lastUpdated              c  few leading entries, "" and "*=Patient/id" of several (by_patient)
    m    HTTP verb that made it        x  words    s  spans    g  groups
    b    JSON; absent in a deletion     k  contained resources: _id, t, e, x, s, g, p, ps of each
    f    the custodian                 w  all patients it tells of, where that is not just p

A deletion has `d` instead of `t` and of the entries only those of custody and the security labels, for what is kept from somebody because of
a label stays so: no search finds it, only the history of its type does. A superseded
version has its own key "Type/id/version", r ("Type/id") and t besides. docs/decisions/0004-shape-of-the-store.md
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson

from fhir_server.exchange import Resource, Version
from fhir_server.outcome import invalid
from fhir_server.search.entries import updated_entry, updated_span
from fhir_server.search.expression import EQUALS, Entries, Group, Inner, Span
from fhir_server.search.types.token import add_pair
from fhir_server.store.custody import NOBODYS, Custody, about_entries, subjects, tagged, whose
from fhir_server.store.failures import too_long
from fhir_server.store.indexes import LEADING
from profiles.json import JsonError, decode, encode

SEVERAL = "*"
MADE_BY_DELETE = "DELETE"
SERVED = {"v": 1, "u": 1, "m": 1, "b": 1, "o": 1, "f": 1, "p": 1, "w": 1}  # projection: what a version is made of

_LABEL = "_security" + EQUALS
_LEADING = tuple(code + EQUALS for code in LEADING)
_TIE_BITS = 18
_TIE = (1 << _TIE_BITS) - 1
UNDATED = 1
"""The lowest bit of a place: set where the resource has no main date of its own, and stands where it was written."""
_DATE_OFFSET, _LAST_DATE = 1 << 43, (1 << 45) - 1  # the years 1691 to 2806; 63 bits with the tie
_CERTAINLY_FITS = 2 * 1024 * 1024
_MOST = 16 * 1024 * 1024 - 16 * 1024


@dataclass(frozen=True, slots=True)
class Prepared:
    """A resource ready to be stored: its JSON with the id inside, and what it is found by."""

    type: str
    id: str
    resource: Resource
    entries: Entries

    @property
    def key(self) -> str:
        """The literal reference, which is the key of its document."""
        return f"{self.type}/{self.id}"


class Ties:
    """Numbers that tell apart what has the same date: they count on, from anywhere."""

    def __init__(self) -> None:
        self._last = int.from_bytes(os.urandom(4))

    def next(self) -> int:
        """Give the next number, of 18 bits; the lowest is not its own, see `UNDATED`."""
        self._last += 1 + UNDATED
        return self._last & _TIE


def milliseconds(moment: datetime) -> int:
    """Give a moment as milliseconds since 1970."""
    return round(moment.timestamp() * 1000)


def to_the_millisecond(moment: datetime) -> datetime:
    """Give a moment in UTC without its microseconds, as MongoDB and meta.lastUpdated hold it."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def place(date: int, tie: int, *, dated: bool = True) -> int:
    """Give the place in the default order as one number: the date in milliseconds since 1970, then the tie.

    `dated` tells that the date is the resource's own, not the time it was written: see `UNDATED`. Places need not be
    unique: a page that ends among equal ones says which of them it has shown.
    """
    return min(max(date + _DATE_OFFSET, 0), _LAST_DATE) << _TIE_BITS | tie & ~UNDATED | (0 if dated else UNDATED)


def kept_place(date: int, old: int) -> int:
    """Give the place of a next version: where it was, unless it has a date of its own."""
    return place(date, old & _TIE) if date else old | UNDATED


def stamped(resource: Resource, version: int, updated: datetime, custodian: str | None = None) -> bytes:
    """Give the JSON with meta.versionId, meta.lastUpdated and the tag of its custodian; every other key keeps its place.

    A meta that is missing comes after the id.
    """
    written = updated.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    stamps = {"versionId": str(version), "lastUpdated": written}
    old = resource.get("meta") or {}
    meta = {**old, **stamps} if stamps.keys() <= old.keys() else {**stamps, **old, **stamps}
    if custodian is not None or "tag" in meta:
        meta = tagged(meta, custodian)
    if "meta" in resource:
        resource = {**resource, "meta": meta}
    else:
        keys = list(resource)
        before = keys[: keys.index("id") + 1]
        resource = {**{key: resource[key] for key in before}, "meta": meta, **resource}
    try:
        return encode(resource)
    except JsonError as problem:
        raise invalid(problem.diagnostics, str(resource.get("resourceType", ""))) from None


def document(
    prepared: Prepared, body: bytes, *, version: int, updated: datetime, method: str, place: int, custody: Custody = NOBODYS
) -> dict[str, Any]:
    """Make the document of a version that is to be current. Raises FhirError (413) where MongoDB cannot hold it."""
    found, moment = prepared.entries, milliseconds(updated)
    made: dict[str, Any] = {
        "_id": prepared.key,
        "t": prepared.type,
        "v": version,
        "u": updated,
        "m": method,
        "b": body,
        "o": place,
        "e": ["", *found.entries, updated_entry(moment), *custody.entries],
        "s": [_span(span) for span in (*found.spans, updated_span(moment))],
    }
    if found.patient is not None:
        made["p"] = found.patient
        several = [SEVERAL + EQUALS + patient for patient in found.patients]
        made["c"] = ["", *several, *(entry for entry in found.entries if entry.startswith(_LEADING))]
    if found.patients:
        made["ps"] = list(found.patients)
    made |= belonging(prepared, custody)
    if found.words:
        made["x"] = list(found.words)
    if found.groups:
        made["g"] = [_group(group) for group in found.groups]
    if found.contained:
        made["k"] = [_inner(each) for each in found.contained]
    if len(body) > _CERTAINLY_FITS and len(bson.encode(made)) > _MOST:
        raise too_long()
    return made


def belonging(prepared: Prepared, custody: Custody) -> dict[str, Any]:
    """Give the fields that say whose the resource is."""
    patients = custody.about or subjects(prepared.entries, prepared.key)
    made: dict[str, Any] = {} if custody.custodian is None else {"f": custody.custodian}
    return made if not patients or patients == (prepared.entries.patient,) else {**made, "w": list(patients)}


def deletion(current: Mapping[str, Any], version: int, updated: datetime, custody: Custody = NOBODYS) -> dict[str, Any]:
    """Make the document of a deleted resource: who could see the resource sees that it is deleted."""
    key = current["_id"]
    made = {"_id": key, "d": key.partition("/")[0], "v": version, "u": updated, "m": MADE_BY_DELETE}
    kept = {field: current[field] for field in ("f", "p", "w") if field in current}
    if entries := [*custody.entries, *about_entries(current.get("w", ())), *_labels(current.get("b", b""))]:
        kept["e"] = entries
    return {**made, **kept}


def _labels(body: bytes) -> list[str]:
    """The entries of a resource's security labels."""
    found: dict[str, None] = {}
    if b'"security"' in body:
        for label in (decode(body).get("meta") or {}).get("security", ()):
            add_pair(_LABEL, label.get("system"), label.get("code"), found.setdefault)
    return list(found)


def superseded(current: Mapping[str, Any]) -> dict[str, Any]:
    """Make the history's document of a version that is about to be superseded."""
    key, version = current["_id"], current["v"]
    kept = {field: current[field] for field in ("u", "m", "b", "f", "p", "w") if field in current}
    return {"_id": f"{key}/{version}", "r": key, "t": key.partition("/")[0], "v": version, **kept}


def version(stored: Mapping[str, Any], change: str | None = None) -> Version:
    """Read a version from a document of either collection."""
    type, _, id = stored.get("r", stored["_id"]).partition("/")
    return Version(type, id, stored["v"], stored["u"], stored.get("b"), stored["m"], change, whose(stored), stored.get("f"))


def _span(span: Span) -> dict[str, Any]:
    stored: dict[str, Any] = {"k": span.parameter, "a": span.low, "z": span.high}
    if span.units:
        stored["u"] = list(span.units)
    return stored


def _inner(contained: Inner) -> dict[str, Any]:
    """What a contained resource is found by, under the names of a resource of its own."""
    found = contained.entries
    return {
        "_id": f"{contained.type}/{contained.id}",
        "t": contained.type,
        "e": ["", *found.entries],
        "x": list(found.words),
        "s": [_span(span) for span in found.spans],
        "g": [_group(group) for group in found.groups],
        "p": found.patient,
        "ps": list(found.patients),
    }


def _group(group: Group) -> dict[str, Any]:
    return {"k": group.parameter, "e": list(group.entries), "s": [_span(span) for span in group.spans]}
