"""EI (エンティティID) to Identifier.

HL7 v2.5 2.A.28. Numbers of orders, specimens and problems: unique only inside the facility, so its system goes with them.
"""

from mappers.hl7v2.message import Repetition


def identifier(ei: Repetition, system: str) -> dict[str, str] | None:
    """Give the Identifier in the facility's system, or None where the number is absent."""
    return {"system": system, "value": ei[1]} if ei[1] else None
