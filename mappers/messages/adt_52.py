"""ADT-52 退院実施/取消 (ADT^A03, ADT^A13): one part of an inpatient Encounter.

ConceptMap message-adt-22-to-bundle, JAMI SS-MIX2 to FHIR 0.1.0. The Encounter is assembled in `mappers.messages.stays`.
The cancellation (A13) takes the discharge back: the stay is in progress again.
"""

from typing import Final

from mappers.datatypes.document import Document
from mappers.messages.kind import Kind
from mappers.messages.stay_part import DISCHARGE
from mappers.messages.stays import Stay, stay
from mappers.segments import pid_to_patient

CANCELS: Final = frozenset(("A13",))


def map_into(document: Document) -> Stay:
    """Map the message; the patient is created from PID only where nobody knows him yet."""
    pid = document.message.first("PID")
    assert pid is not None
    document.add_shared(pid_to_patient.patient(pid, document))
    return stay(document, DISCHARGE, cancelled=document.message.event in CANCELS)


KIND: Final = Kind(
    events=frozenset(("A03", "A13")),
    segments=frozenset(("PV1",)),
    map_into=map_into,
    cancels=CANCELS,
)
