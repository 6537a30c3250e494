"""XAD (拡張住所) to Address.

HL7 v2.5 2.A.82. SS-MIX2 puts the whole address into XAD.8; XAD.3 and .4 are used by some senders.
"""

from typing import Any, Final

from mappers.hl7v2.message import Repetition

_USE: Final = {"H": "home", "B": "work", "O": "work", "C": "temp", "BA": "old"}


def address(xad: Repetition) -> dict[str, Any] | None:
    """Give the Address, or None where nothing but a country was sent."""
    line = [part for part in (xad[1], xad[2]) if part]
    result = {
        "use": _USE.get(xad[7]),
        "text": xad[8],
        "line": line,
        "city": xad[3],
        "state": xad[4],
        "postalCode": xad[5],
    }
    given = {key: value for key, value in result.items() if value}
    if not given.keys() - {"use"}:
        return None
    country = {"JPN": "JP"}.get(xad[6], xad[6])
    return {**given, "country": country} if country else given
