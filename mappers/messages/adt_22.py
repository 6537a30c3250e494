"""ADT-22 入院実施/取消 (ADT^A01, ADT^A11): one part of an inpatient Encounter.

ConceptMap message-adt-22-to-bundle, JAMI SS-MIX2 to FHIR 0.1.0. The Encounter is assembled in `mappers.messages.stays`.
The cancellation (A11) leaves an Encounter that is `cancelled`.
"""

from typing import Final

from mappers.datatypes.document import Document
from mappers.messages.kind import Kind
from mappers.messages.stay_part import ADMISSION
from mappers.messages.stays import Stay, stay
from mappers.segments import pid_to_patient

CANCELS: Final = frozenset(("A11",))


def map_into(document: Document) -> Stay:
    """Map the message; the patient is created from PID only where nobody knows him yet."""
    pid = document.message.first("PID")
    assert pid is not None
    document.add_shared(pid_to_patient.patient(pid, document))
    return stay(document, ADMISSION, cancelled=document.message.event in CANCELS)


KIND: Final = Kind(
    events=frozenset(("A01", "A11")),
    segments=frozenset(("PV1",)),
    map_into=map_into,
    cancels=CANCELS,
)
