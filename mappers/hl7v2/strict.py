"""The strict judge of messages: HL7 v2.5 as hl7apy knows it. Used by `import --strict`.

https://hl7apy.org/ - every segment is judged by the standard's tables (cardinality, data types, lengths), and the order of
segments by the message's structure where hl7apy has it: PPR_ZD1 is SS-MIX2's own, and in RDE_O11 hl7apy takes the TQ1 after
RXE for the one before it. Z segments are not judged. Findings never repeat a value.
"""

from dataclasses import dataclass
from typing import Final

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message, parse_segment

from mappers.hl7v2.message import Message, Segment

_VERSION: Final = "2.5"
_STRUCTURES: Final = frozenset(
    ("ADT_A01", "ADT_A03", "ADT_A02", "ADT_A05", "ADT_A09", "ADT_A21", "ADT_A52", "ADT_A54", "ADT_A60", "OUL_R22")
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from HL7 v2.5: the segment's name, its number in the message (0: the message), and what it is."""

    segment: str
    number: int
    text: str


def judge(message: Message) -> tuple[Finding, ...]:
    """Give every departure from HL7 v2.5; nothing where the message is strictly valid."""
    findings = [finding for segment in message.segments if (finding := _judge_segment(segment))]
    if not findings and message.msh.first(9)[3] in _STRUCTURES and (reason := _judge_structure(message)):
        findings.append(Finding("MSH", 0, reason))
    return tuple(findings)


def _line(segment: Segment) -> str:
    """Give a segment as it was sent."""
    fields = segment.fields if segment.name != "MSH" else (segment.fields[0], *segment.fields[2:])
    return segment.delimiters.field.join(fields)


def _judge_segment(segment: Segment) -> Finding | None:
    if segment.name.startswith("Z"):
        return None
    try:
        parsed = parse_segment(_line(segment), version=_VERSION, validation_level=VALIDATION_LEVEL.STRICT)
        parsed.validate()
    except (HL7apyException, ValueError) as error:
        return Finding(segment.name, segment.number, _reason(error))
    return None


def _judge_structure(message: Message) -> str | None:
    lines = (_line(segment) for segment in message.segments if not segment.name.startswith("Z"))
    try:
        parse_message("\r".join(lines), validation_level=VALIDATION_LEVEL.STRICT, find_groups=True).validate()
    except (HL7apyException, ValueError) as error:
        return f"the order or number of segments: {_reason(error)}"
    return None


def _reason(error: Exception) -> str:
    """Say what kind of departure it is. hl7apy's own words can hold values of the patient."""
    if not isinstance(error, HL7apyException):
        return "a value is none of its data type"
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type(error).__name__)
    return f"not HL7 v2.5 (hl7apy:{words})"
