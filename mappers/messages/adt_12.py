"""ADT-12 外来診察の受付 (ADT^A04): Encounter.

ConceptMap segment-adt-xx-pv1-to-encounter, JAMI SS-MIX2 to FHIR 0.1.0. Some senders file the reception as A01.
"""

from typing import Final

from mappers.datatypes.document import Document
from mappers.hl7v2.message import MessageError
from mappers.messages.kind import Kind
from mappers.segments import pid_to_patient, pv1_to_encounter


def map_into(document: Document) -> None:
    """Map the message; the patient is created from PID only where nobody knows him yet."""
    pid, pv1 = document.message.first("PID"), document.message.first("PV1")
    assert pid is not None
    if pv1 is None:
        raise MessageError("the message is truncated or has no PV1 segment", "PV1")
    document.add_shared(pid_to_patient.patient(pid, document))
    document.add_home(pv1_to_encounter.outpatient_visit(pv1, document))


KIND: Final = Kind(
    events=frozenset(("A04",)),
    segments=frozenset(("PV1",)),
    map_into=map_into,
    tolerated=frozenset(("A01",)),
)
