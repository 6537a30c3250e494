"""SS-MIX2 messages to FHIR transactions: `map_message`.

The mapping is a pure function of message, file name and facility. Mapping a file twice gives the same ids and the same
content, so that importing twice changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from mappers.datatypes.document import Document, Facility, MappingIssue, full_url
from mappers.file_name import CARE_DAY, FileName, document_key
from mappers.hl7v2.message import Message, MessageError
from mappers.messages import adt_00, oml_11
from mappers.segments import msh_to_provenance

__all__ = ["KINDS", "Facility", "Mapped", "MappingIssue", "MessageError", "deletion", "document_key", "map_message"]


class _Kind(NamedTuple):
    """How messages of one kind are mapped: its events, the segments it looks at, the mapper, events of careless senders."""

    events: frozenset[str]
    segments: frozenset[str]
    map_into: Callable[[Document], None]
    tolerated: frozenset[str] = frozenset()


_KINDS: Final[dict[str, _Kind]] = {
    "ADT-00": _Kind(adt_00.EVENTS, adt_00.SEGMENTS, adt_00.map_into),
    "OML-11": _Kind(oml_11.EVENTS, oml_11.SEGMENTS, oml_11.map_into),
}

KINDS: Final = frozenset(_KINDS)
"""The kinds that are mapped; other files are kept aside."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one file means.

    `bundle` is a transaction. `home` are the references (`Type/id`) that belong to this document: when a newer version of
    it no longer has one of them, that resource is gone. `document` is the key all versions share.
    """

    bundle: dict[str, Any]
    issues: tuple[MappingIssue, ...]
    home: tuple[str, ...]
    document: str = field(default="")


def map_message(message: Message, name: FileName, facility: Facility) -> Mapped:
    """Map one message to a transaction; raise MessageError where it can't be trusted.

    A file flagged as deleted ("0") gives DELETE entries for what its message would have given; a superseded one ("2") is
    mapped like a current one: only who sees all versions can say what holds.
    """
    kind = _KINDS.get(name.kind)
    if kind is None:
        raise MessageError(f"messages of kind {name.kind} are not mapped yet")
    document = Document(message, name, facility)
    for warning in (*name.warnings, *message.warnings):
        document.note("warning", "", "", warning)
    _judge_event(kind, document)
    _judge_patient(document)
    _judge_care_day(document)
    _tell_unknown_segments(kind, document)
    document.add_shared(msh_to_provenance.organization(document))
    kind.map_into(document)
    document.add_home(msh_to_provenance.provenance(document))
    entries = document.entries
    mapped = Mapped(_transaction(entries), tuple(document.issues), tuple(document.home), document.key)
    return deletion(mapped) if name.flag == "0" else mapped


def deletion(mapped: Mapped) -> Mapped:
    """Give the transaction that takes back what `mapped` would write."""
    entries = [{"fullUrl": full_url(reference), "request": {"method": "DELETE", "url": reference}} for reference in mapped.home]
    return Mapped(_transaction(entries), mapped.issues, (), mapped.document)


def _transaction(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _judge_event(kind: _Kind, document: Document) -> None:
    """Compare MSH-9.2 with the kind of the file name; a message of another kind was filed wrongly."""
    event = document.message.event
    if event in kind.events:
        return
    if event not in kind.tolerated:
        raise MessageError(f"the event (MSH-9.2) is none of kind {document.name.kind}", "MSH", "MSH-9")
    document.warn("MSH-9", f"the event is {event}; for kind {document.name.kind} it should be {'/'.join(sorted(kind.events))}")


def _judge_patient(document: Document) -> None:
    """Refuse a message about another patient than the one whose folder it lies in."""
    pid = document.message.first("PID")
    if pid is None:
        raise MessageError("the message is truncated or has no PID segment", "PID")
    if pid[3] != document.name.patient_id:
        raise MessageError("the patient number (PID-3) is not that of the folder and file name", "PID", "PID-3")


def _judge_care_day(document: Document) -> None:
    """Compare 診療日 with the field it repeats; warn where they differ."""
    day, field_name = document.name.day, CARE_DAY.get(document.name.kind)
    if field_name is None:
        if day is not None:
            document.note("warning", "", "", f"kind {document.name.kind} is stored under 診療日 '-'")
        return
    if day is None:
        document.note("warning", "", "", f"kind {document.name.kind} is stored under a 診療日, not under '-'")
        return
    segment_name, _, number = field_name.partition("-")
    segment = document.message.first(segment_name)
    stated = segment[int(number)] if segment else ""
    if stated and stated[:8] != day:
        document.warn(field_name, "診療日 of the file name is not the day of this field")


def _tell_unknown_segments(kind: _Kind, document: Document) -> None:
    for segment in document.message.segments[1:]:
        if segment.name not in kind.segments:
            document.inform(segment.name, "the segment is not mapped for this kind")
