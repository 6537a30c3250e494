"""OML-11 検体検査結果通知 (OUL^R22): Specimen, ServiceRequest, DiagnosticReport, Observation.

ConceptMap message-oml-11-to-bundle, JAMI SS-MIX2 to FHIR 0.1.0 (which calls the message ORU_R01; it is OUL_R22):

    { SPM {OBX} { OBR [ORC] {NTE} {TQ1} { OBX {NTE} } } }
"""

from typing import Final

from mappers.datatypes import ts
from mappers.datatypes.document import Document, Resource
from mappers.hl7v2.message import MessageError, Segment, groups
from mappers.messages.kind import Kind
from mappers.segments import (
    obr_to_diagnostic_report,
    obx_to_observation,
    orc_to_service_request,
    pid_to_patient,
    spm_to_specimen,
)
from mappers.segments.obx_to_observation import Setting

NOT_MAPPED = {
    "PV1": "来院番号がないため受診と結び付けない (no visit number: results are not tied to an Encounter)",
    "TQ1": "結果の頻度: 依頼 (OML-01) が運ぶ (timing belongs to the order)",
}


def map_into(document: Document) -> None:
    """Map the message; the patient is created from PID only where nobody knows him yet."""
    pid = document.message.first("PID")
    assert pid is not None
    document.add_shared(pid_to_patient.patient(pid, document))
    found = False
    for group in document.message.groups("SPM"):
        found = True
        _specimen_group(group, document)
    if not found:
        raise MessageError("a result notice without any specimen", "SPM")
    _tell_comments_before_specimens(document)


def _specimen_group(group: tuple[Segment, ...], document: Document) -> None:
    """Map one specimen with its own observations and its reports."""
    spm, rest = group[0], group[1:]
    specimen = document.add_home(spm_to_specimen.specimen(spm, document))
    own = Setting(
        material=spm[4],
        effective=spm_to_specimen.collected(spm) or _care_day(document),
        specimen=specimen,
    )
    head = [segment.name for segment in rest].index("OBR") if any(segment.name == "OBR" for segment in rest) else len(rest)
    _observations(rest[:head], own, document)
    for report in groups(rest[head:], "OBR"):
        _report(report, own, document)


def _report(group: tuple[Segment, ...], own: Setting, document: Document) -> None:
    """Map one OBR with its order and its results."""
    obr = group[0]
    orc = next((segment for segment in group if segment.name == "ORC"), None)
    first = next((index for index, segment in enumerate(group) if segment.name == "OBX"), len(group))
    request = document.add_home(orc_to_service_request.service_request(orc, obr, own.specimen, document))
    panel = obr.first(4)
    setting = Setting(
        order=obr[2] or (orc[2] if orc else ""),
        panel=panel[1] or panel[4],
        material=own.material,
        effective=own.effective if "T" in (own.effective or "") else ts.date_time(obr[7]) or own.effective,
        issued=ts.instant(obr[22]),
        specimen=own.specimen,
        request=request,
    )
    notes = tuple(segment for segment in group[:first] if segment.name == "NTE")
    report = obr_to_diagnostic_report.diagnostic_report(obr, orc, notes, document)
    report["basedOn"] = [request]
    report["specimen"] = [own.specimen]
    results = _observations(group[first:], setting, document)
    if results:
        report["result"] = results
    if setting.effective and not report.keys() & {"effectiveDateTime", "effectivePeriod"}:
        report["effectiveDateTime"] = setting.effective
    document.add_home(report)


def _observations(segments: tuple[Segment, ...], setting: Setting, document: Document) -> list[Resource]:
    """Map OBX segments, each with the NTE segments that follow it; give references to the results."""
    references = []
    for obx, *followers in groups(segments, "OBX"):
        notes = tuple(segment for segment in followers if segment.name == "NTE")
        observation = obx_to_observation.lab_result(obx, notes, setting, document)
        if observation:
            references.append(document.add_home(observation))
    return references


def _care_day(document: Document) -> str | None:
    """Give 診療日, which repeats the day of collection (SPM-17), where SPM-17 itself is missing."""
    document.warn("SPM-17", "no time of collection; 診療日 of the file name stands for it")
    return ts.date_time(document.name.day) if document.name.day else None


def _tell_comments_before_specimens(document: Document) -> None:
    """Report an NTE that stands before the first specimen: it belongs to no resource."""
    for segment in document.message.segments:
        if segment.name == "SPM":
            return
        if segment.name == "NTE":
            document.inform("NTE-3", "a comment on the whole message has no resource to belong to")


KIND: Final = Kind(
    events=frozenset(("R22",)),
    segments=frozenset(("NTE", "SPM", "OBX", "OBR", "ORC")),
    map_into=map_into,
    not_mapped=NOT_MAPPED,
)
