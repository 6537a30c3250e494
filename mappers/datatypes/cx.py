"""CX (チェックディジット付き拡張複合ID) to Identifier.

HL7 v2.5 2.A.14. SS-MIX2 sends no assigning authority: the system comes with the facility whose storage is read.
"""

from mappers.hl7v2.message import Repetition


def identifier(cx: Repetition, system: str) -> dict[str, str] | None:
    """Give the Identifier in the facility's system, or None where the number is absent."""
    return {"system": system, "value": cx[1]} if cx[1] else None
