"""XCN (拡張複合ID番号と氏名) to Practitioner and a reference to it.

HL7 v2.5 2.A.85; JP Core JP_Practitioner.

Messages write one doctor's name in different ways and with or without kana. A Practitioner is therefore created where it is
absent and never overwritten; only the ideographic name goes into it, and the reference shows the name as this message
writes it.
"""

from typing import Any, Final

from mappers.datatypes import xpn
from mappers.datatypes.document import Document
from mappers.hl7v2.message import Segment

PROFILE: Final = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Practitioner"

NOT_MAPPED = {
    "XCN kana repetition": "医師カナ氏名: 一部の電文にしかないため、共有する Practitioner には入れない (only some messages carry it)"
}


def reference(segment: Segment, number: int, document: Document) -> dict[str, Any] | None:
    """Give a reference to the person of a field, creating the Practitioner where there is a number to know him by."""
    people = segment.repetitions(number)
    if not people:
        return None
    person = next((each for each in people if each[15] in ("", "I")), people[0])
    name = xpn.build(person[2], [part for part in (person[3], person[4]) if part], person[15] or "I", None)
    staff_number = person[1]
    if not staff_number:
        return {"display": name["text"]} if name else None
    practitioner: dict[str, Any] = {
        "resourceType": "Practitioner",
        "id": document.shared_id("Practitioner", staff_number),
        "meta": {"profile": [PROFILE]},
        "identifier": [{"system": document.facility.practitioner_numbers, "value": staff_number}],
    }
    if name:
        practitioner["name"] = [name]
    found = document.add_shared(practitioner)
    return {**found, "display": name["text"]} if name else found
