"""ADT-00 患者基本情報の更新/削除 (ADT^A08, ADT^A23): Patient, AllergyIntolerance, Coverage, Observation.

ConceptMap message-adt-00-to-bundle, JAMI SS-MIX2 to FHIR 0.1.0. The message is the whole state of the patient's record card:
what a later one no longer holds is gone.
"""

from typing import Final

from mappers.datatypes import ts
from mappers.datatypes.document import Document
from mappers.messages.kind import Kind
from mappers.segments import (
    al1_to_allergy_intolerance,
    in1_to_coverage,
    obx_to_observation,
    pid_to_patient,
)

CANCELS: Final = frozenset(("A23",))

NOT_MAPPED = {
    "PV1": "来院情報: 受診・入院は ADT-12, ADT-22, ADT-52 が運ぶ (visits come with ADT-12, ADT-22 and ADT-52)",
    "PV2": "同上 (likewise)",
}


def map_into(document: Document) -> None:
    """Map the message. The deletion of a patient (A23) leaves a Patient that is no longer active."""
    message = document.message
    pid = message.first("PID")
    assert pid is not None
    document.account(pid, pid_to_patient.USED, pid_to_patient.NOT_MAPPED)
    patient = pid_to_patient.patient(pid, document, message.all("NK1"), message.all("DB1"))
    if document.message.event in CANCELS:
        document.add_home({**patient, "active": False})
        return
    document.add_home(patient)
    for al1 in message.all("AL1"):
        if allergy := al1_to_allergy_intolerance.allergy_intolerance(al1, document):
            document.add_home(allergy)
    for in1 in message.all("IN1"):
        if coverage := in1_to_coverage.coverage(in1, document):
            document.add_home(coverage)
    setting = obx_to_observation.Setting(effective=_measured(document))
    for obx in message.all("OBX"):
        if observation := obx_to_observation.body_measurement(obx, setting, document):
            document.add_home(observation)


def _measured(document: Document) -> str | None:
    """Give the time that stands for measurements without one: PID-33 最終更新日時, else EVN-2 事象記録日時.

    FHIR wants a time; a height without any would sort before all others. JAMI's map leaves it open.
    """
    pid, evn = document.message.first("PID"), document.message.first("EVN")
    updated = ts.date_time(pid[33]) if pid else None
    return updated or (ts.date_time(evn[2]) if evn else None)


KIND: Final = Kind(
    events=frozenset(("A08", "A23")),
    segments=frozenset(("NK1", "DB1", "OBX", "AL1", "IN1")),
    map_into=map_into,
    not_mapped=NOT_MAPPED,
    cancels=CANCELS,
)
