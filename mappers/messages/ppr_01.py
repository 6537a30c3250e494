"""PPR-01 病名(歴)情報の登録/更新 (PPR^ZD1): Condition.

ConceptMap message-ppr-01-to-bundle, JAMI SS-MIX2 to FHIR 0.1.0:

    { PRB [ZPR] {ZPD} {NTE} {ZI1} {OBX} {ORC} }

Since 1.2 one file is the whole list of a patient's diagnoses; some senders still write a file for each. Either way the file
is the document: a diagnosis that its next version does not hold is gone.
"""

from typing import Final

from mappers.datatypes.document import Document
from mappers.hl7v2.message import MessageError, Segment
from mappers.messages.kind import Kind
from mappers.segments import pid_to_patient, prb_to_condition

NOT_MAPPED = {
    "PV1": "来院番号がないため受診と結び付けない (no visit number: diagnoses are not tied to an Encounter)",
    "ZPD": "歯式: JP Core の歯科プロファイルで扱う (belongs to the dental profiles)",
    "ZI1": "病名に適用する保険: 保険は ADT-00 の IN1 が運ぶ (coverage comes with ADT-00)",
    "OBX": "病名の付帯情報: 対応する要素がない (no element)",
}


def map_into(document: Document) -> None:
    """Map the message; the patient is created from PID only where nobody knows him yet."""
    pid = document.message.first("PID")
    assert pid is not None
    document.add_shared(pid_to_patient.patient(pid, document))
    found = False
    for group in document.message.groups("PRB"):
        found = True
        zpr, orc = _first(group, "ZPR"), _first(group, "ORC")
        notes = tuple(segment for segment in group if segment.name == "NTE")
        condition = prb_to_condition.condition(group[0], zpr, orc, notes, document)
        if condition:
            document.add_home(condition)
    if not found:
        raise MessageError("a list of diagnoses without any PRB segment", "PRB")


def _first(group: tuple[Segment, ...], name: str) -> Segment | None:
    return next((segment for segment in group if segment.name == name), None)


KIND: Final = Kind(
    events=frozenset(("ZD1",)),
    segments=frozenset(("PRB", "ZPR", "NTE", "ORC")),
    map_into=map_into,
    not_mapped=NOT_MAPPED,
)
