"""XPN (拡張人名) to HumanName.

HL7 v2.5 2.A.86; JP Core JP_HumanName. A Japanese name comes twice: ideographic (I) and phonetic (P). JP Core tells them apart
by the extension iso21090-EN-representation, and its kana sort looks for `use: usual`.
"""

from typing import Any, Final

from mappers.hl7v2.message import Repetition

REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_CODES: Final = {"I": "IDE", "P": "SYL", "A": "ABC"}
_USE: Final = {"L": "usual", "D": "usual", "M": "maiden", "B": "official", "N": "nickname", "S": "anonymous", "T": "temp"}


def human_name(xpn: Repetition) -> dict[str, Any] | None:
    """Give the HumanName, or None where neither family nor given name was sent."""
    return build(xpn[1], [part for part in (xpn[2], xpn[3]) if part], representation(xpn), _USE.get(_type(xpn), "usual"))


def build(family: str, given: list[str], code: str, use: str | None) -> dict[str, Any] | None:
    """Put a HumanName together; `code` is the representation in HL7 table 0465."""
    if not family and not given:
        return None
    name: dict[str, Any] = {}
    if code in _CODES:
        name["extension"] = [{"url": REPRESENTATION, "valueCode": _CODES[code]}]
    if use:
        name["use"] = use
    name["text"] = " ".join(part for part in (family, *given) if part)
    if family:
        name["family"] = family
    if given:
        name["given"] = given
    return name


def representation(xpn: Repetition) -> str:
    """Give the representation code of XPN.8, or of XPN.7 where a careless sender is one component short."""
    return xpn[7] if misplaced(xpn) else xpn[8]


def misplaced(xpn: Repetition) -> bool:
    """Tell whether the representation code stands where the name type belongs."""
    return not xpn[8] and xpn[7] in _CODES and xpn[6] in _USE


def _type(xpn: Repetition) -> str:
    return xpn[6] if misplaced(xpn) else xpn[7]
