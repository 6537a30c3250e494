"""XTN (拡張テレコミュニケーション番号) to ContactPoint.

HL7 v2.5 2.A.87; ConceptMap table-v2-0201-to-contactpointuse of JAMI SS-MIX2 to FHIR. The number stands in XTN.12; careless
senders put it into XTN.1.
"""

from typing import Any, Final

from mappers.hl7v2.message import Repetition

_USE: Final = {"PRN": "home", "WPN": "work", "PRS": "mobile", "VHN": "temp"}
_SYSTEM: Final = {"PH": "phone", "CP": "phone", "FX": "fax", "BP": "pager", "Internet": "email", "X.400": "email", "MD": "other"}


def contact_point(xtn: Repetition, use: str) -> dict[str, Any] | None:
    """Give the ContactPoint, or None where no number was sent. `use` is what the field itself means."""
    email = xtn[4]
    value = email or xtn[12] or xtn[1] or "-".join(part for part in (xtn[6], xtn[7]) if part)
    if not value:
        return None
    system = "email" if email else _SYSTEM.get(xtn[3], "phone")
    use = "mobile" if xtn[3] == "CP" else _USE.get(xtn[2], use)
    return {"system": system, "value": value, "use": use}
