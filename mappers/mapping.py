"""SS-MIX2 messages to FHIR transactions: `map_message`.

The mapping is a pure function of message, file name and facility. Mapping a file twice gives the same ids and the same
content, so that importing twice changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mappers.datatypes.document import Document, Facility, MappingIssue, full_url
from mappers.file_name import CARE_DAY, FileName, document_key
from mappers.hl7v2.message import Message, MessageError
from mappers.messages import adt_00, adt_12, adt_22, adt_52, oml_11, omp_01, ppr_01
from mappers.messages.kind import ENVELOPE, Kind
from mappers.messages.stays import Stay, assemble, targets
from mappers.segments import msh_to_provenance

__all__ = [
    "KINDS",
    "VERSION",
    "Facility",
    "Mapped",
    "MappingIssue",
    "MessageError",
    "complete",
    "deletion",
    "document_key",
    "map_message",
    "provenance_id",
]

VERSION: Final = 1
"""Counted up whenever the same message would be mapped to something else: what was imported before is then mapped anew."""

_KINDS: Final[dict[str, Kind]] = {
    "ADT-00": adt_00.KIND,
    "ADT-12": adt_12.KIND,
    "ADT-22": adt_22.KIND,
    "ADT-52": adt_52.KIND,
    "PPR-01": ppr_01.KIND,
    "OMP-01": omp_01.KIND,
    "OML-11": oml_11.KIND,
}

KINDS: Final = frozenset(_KINDS)
"""The kinds that are mapped; files of the others are counted as not mapped yet."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one file means.

    `bundle` is a transaction. `home` are the references (`Type/id`) that belong to this document: when a newer version of
    it no longer has one of them, that resource is gone. `document` is the key all versions share.

    `stay` is there where the message speaks of an inpatient stay: then `complete` has to see the patient's stored Encounters
    before the bundle says all there is to write.
    """

    bundle: dict[str, Any]
    issues: tuple[MappingIssue, ...]
    home: tuple[str, ...]
    document: str
    stay: Stay | None = None


def map_message(message: Message, name: FileName, facility: Facility) -> Mapped:
    """Map one message to a transaction; raise MessageError where it can't be trusted.

    A file flagged as deleted ("0") gives DELETE entries for what its message would have given, unless the message is itself
    the cancellation, which says what is left. A superseded file ("2") is mapped like a current one: only who sees all versions
    of a document can say what holds; `deletion` takes it back.
    """
    kind = _KINDS.get(name.kind)
    if kind is None:
        raise MessageError(f"messages of kind {name.kind} are not mapped yet")
    document = Document(message, name, facility)
    for warning in (*name.warnings, *message.warnings):
        document.warn("", warning)
    _judge_event(kind, document)
    _judge_patient(document)
    _judge_care_day(document)
    _tell_unknown_segments(kind, document)
    document.add_shared(msh_to_provenance.organization(document))
    stay = kind.map_into(document)
    about = targets(stay) if stay else []
    if not (document.home or about):
        raise MessageError("nothing that the message says could be mapped")
    document.add_home(msh_to_provenance.provenance(document, about))
    mapped = Mapped(_transaction(document.entries), document.issues, tuple(document.home), document.key, stay)
    return deletion(mapped) if name.flag == "0" and message.event not in kind.cancels else mapped


def provenance_id(name: FileName, facility: Facility) -> str:
    """Give the id of the Provenance that every version of the file's document has, without mapping it."""
    return facility.id("Provenance", document_key(name))


def deletion(mapped: Mapped) -> Mapped:
    """Give the transaction that takes back what `mapped` would write."""
    entries = [{"fullUrl": full_url(reference), "request": {"method": "DELETE", "url": reference}} for reference in mapped.home]
    stay = replace(mapped.stay, part=None) if mapped.stay else None
    return Mapped(_transaction(entries), mapped.issues, (), mapped.document, stay)


def complete(mapped: Mapped, encounters: Sequence[dict[str, Any]]) -> Mapped:
    """Add to a message about an inpatient stay what follows from the Encounters stored for `mapped.stay.patient`.

    A discharge does not say which admission it ends, and either may arrive first. This is still a pure function: whoever
    stores gives all the patient's Encounters (others than stays are ignored), and must not write them elsewhere meanwhile.
    The outcome depends on what has been said, never on its order. A message about something else comes back as it is.
    """
    if mapped.stay is None:
        return mapped
    changed, gone = assemble(mapped.stay, encounters)
    entries = [
        *mapped.bundle["entry"],
        *(_put(encounter) for encounter in changed),
        *(_delete(reference) for reference in gone),
    ]
    return replace(mapped, bundle=_transaction(entries), stay=None)


def _transaction(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _put(resource: dict[str, Any]) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": full_url(url), "resource": resource, "request": {"method": "PUT", "url": url}}


def _delete(reference: str) -> dict[str, Any]:
    return {"fullUrl": full_url(reference), "request": {"method": "DELETE", "url": reference}}


def _judge_event(kind: Kind, document: Document) -> None:
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
            document.warn("", f"kind {document.name.kind} belongs under 診療日 '-'")
        return
    if day is None:
        document.warn("", f"kind {document.name.kind} belongs under a 診療日, not under '-'")
        return
    segment_name, _, number = field_name.partition("-")
    segment = document.message.first(segment_name)
    stated = segment[int(number)] if segment else ""
    if stated and stated[:8] != day:
        document.warn(field_name, "診療日 of the file name is not the day of this field")


def _tell_unknown_segments(kind: Kind, document: Document) -> None:
    for segment in document.message.segments[1:]:
        if segment.name not in kind.segments and segment.name not in ENVELOPE:
            document.inform(segment.name, kind.not_mapped.get(segment.name, "the segment is not mapped for this kind"))
