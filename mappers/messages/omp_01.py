"""OMP-01 処方オーダ (RDE^O11): a MedicationRequest for each medicine.

ConceptMap message-omp-01-to-bundle, JAMI SS-MIX2 to FHIR 0.1.0:

    { ORC RXE {NTE} {TQ1} {RXR} {RXC} {OBX} }

A revised file can silently drop a medicine: all of them belong to the document, so the importer sees which is gone.
"""

from typing import Final

from mappers.datatypes.document import Document
from mappers.hl7v2.message import MessageError, Segment
from mappers.messages.kind import Kind
from mappers.segments import pid_to_patient, rxe_to_medication_request
from mappers.segments.rxe_to_medication_request import Line

NOT_MAPPED = {
    "PV1": "来院番号がないため受診と結び付けない (no visit number: orders are not tied to an Encounter)",
    "AL1": "アレルギー: ADT-00 が運ぶ (comes with ADT-00)",
    "IN1": "保険: ADT-00 が運ぶ (comes with ADT-00)",
    "RXC": "成分: 処方では RXE-2 が薬剤を示す (RXE-2 names the medicine)",
    "OBX": "処方の付帯情報: 対応する要素がない (no element)",
}


def map_into(document: Document) -> None:
    """Map the message; the patient is created from PID only where nobody knows him yet."""
    pid = document.message.first("PID")
    assert pid is not None
    document.add_shared(pid_to_patient.patient(pid, document))
    lines = _lines(document)
    if not lines:
        raise MessageError("a prescription without any RXE segment", "RXE")
    for line in lines:
        if request := rxe_to_medication_request.medication_request(line, document):
            document.add_home(request)


def _lines(document: Document) -> list[Line]:
    """Cut the message into its medicines; count the place in an RP where ORC-4 does not say it."""
    lines: list[Line] = []
    places: dict[str, int] = {}
    for group in document.message.groups("ORC"):
        rxe = next((segment for segment in group if segment.name == "RXE"), None)
        if rxe is None:
            document.warn("ORC", "an order without RXE is left out")
            continue
        rp, place = rxe_to_medication_request.group_number(group[0])
        if not rp:
            document.warn("ORC-4", "no group number: the medicine is taken as an RP of its own")
            rp = str(len(lines) + 1)
        places[rp] = places.get(rp, 0) + 1
        line = Line(rp, place or str(places[rp]), group[0], rxe, _all(group, "TQ1"), _all(group, "RXR"), _all(group, "NTE"))
        lines.append(line)
    return lines


def _all(group: tuple[Segment, ...], name: str) -> tuple[Segment, ...]:
    return tuple(segment for segment in group if segment.name == name)


KIND: Final = Kind(
    events=frozenset(("O11",)),
    segments=frozenset(("ORC", "RXE", "TQ1", "RXR", "NTE")),
    map_into=map_into,
    not_mapped=NOT_MAPPED,
)
