"""HL7 v2.5 messages as segments, fields, repetitions, components and subcomponents. Knows no FHIR.

HL7 v2.5 chapter 2. The reader is lean on purpose: it splits, and a field is only taken apart when somebody asks for it.
`strict.judge` asks hl7apy where a conformance check is wanted.

A value of two double quotes is HL7's explicit null: the field is meant to be empty. Readers get `""` as the empty
string; `Segment.is_null` tells it from a field that was not sent.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mappers.hl7v2.encoding import EncodingError, decode

NULL: Final = '""'
_SEGMENT_END: Final = re.compile(r"[\r\n]+")
_SEGMENT_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{2}")


class MessageError(ValueError):
    """A message that can't be used. `segment` and `field` say where; the text never repeats a value of the patient."""

    def __init__(self, text: str, segment: str = "", field: str = "") -> None:
        super().__init__(text)
        self.segment = segment
        self.field = field


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The five characters of MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    def unescape(self, text: str) -> str:
        r"""Undo `\F\ \S\ \T\ \R\ \E\` and `\.br\`; leave unknown sequences as they are."""
        if self.escape not in text:
            return text
        escape = re.escape(self.escape)
        return re.sub(f"{escape}([FSTRE]|\\.br){escape}", self._unescaped, text)

    def _unescaped(self, match: re.Match[str]) -> str:
        return {
            "F": self.field,
            "S": self.component,
            "T": self.subcomponent,
            "R": self.repetition,
            "E": self.escape,
            ".br": "\n",
        }[match.group(1)]


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field: its components, still escaped."""

    components: tuple[str, ...]
    delimiters: Delimiters

    def __getitem__(self, number: int) -> str:
        """Give component `number` (from 1) as text, "" where it is absent or null."""
        if number > len(self.components):
            return ""
        text = self.components[number - 1]
        if not text or text == NULL:
            return ""
        if self.delimiters.escape in text:
            text = self.delimiters.unescape(text)
        return text.strip()

    def __bool__(self) -> bool:
        return any(text and text != NULL for text in self.components)

    def subcomponents(self, number: int) -> "Repetition":
        """Give the subcomponents of component `number` as if they were components."""
        text = self.components[number - 1] if number <= len(self.components) else ""
        return Repetition(tuple(text.split(self.delimiters.subcomponent)), self.delimiters)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment: its name, its fields as sent, and its number in the message (MSH is 1)."""

    name: str
    fields: tuple[str, ...]
    delimiters: Delimiters
    number: int = 0

    def raw(self, number: int) -> str:
        """Give field `number` exactly as sent, "" where it is absent."""
        return self.fields[number] if number < len(self.fields) else ""

    def is_null(self, number: int) -> bool:
        """Tell whether the sender stated that field `number` is empty (two double quotes)."""
        return self.raw(number) == NULL

    def __getitem__(self, number: int) -> str:
        """Give the first component of the first repetition of field `number` as text."""
        text = self.fields[number] if number < len(self.fields) else ""
        if not text or text == NULL:
            return ""
        delimiters = self.delimiters
        if delimiters.repetition in text or delimiters.component in text:
            return self.first(number)[1]
        if delimiters.escape in text:
            text = delimiters.unescape(text)
        return text.strip()

    def text(self, number: int) -> str:
        """Give a field of type ST, TX or NM whole: its caret and ampersand, if any, belong to the text."""
        text = self.raw(number)
        return "" if text == NULL else self.delimiters.unescape(text).strip()

    def first(self, number: int) -> Repetition:
        """Give the first repetition of field `number`."""
        text = self.raw(number)
        if self.delimiters.repetition in text:
            text = text.split(self.delimiters.repetition, 1)[0]
        return Repetition(tuple(text.split(self.delimiters.component)), self.delimiters)

    def repetitions(self, number: int) -> tuple[Repetition, ...]:
        """Give the repetitions of field `number` that hold anything."""
        text = self.raw(number)
        if not text or text == NULL:
            return ()
        component = self.delimiters.component
        all_of_them = (Repetition(tuple(part.split(component)), self.delimiters) for part in text.split(self.delimiters.repetition))
        return tuple(repetition for repetition in all_of_them if repetition)


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its segments in order, and what had to be tolerated to read it."""

    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()

    @property
    def msh(self) -> Segment:
        """The message header."""
        return self.segments[0]

    @property
    def event(self) -> str:
        """MSH-9.2, e.g. `A08`."""
        return self.msh.first(9)[2]

    def first(self, name: str) -> Segment | None:
        """Give the first segment of that name."""
        for segment in self.segments:
            if segment.name == name:
                return segment
        return None

    def all(self, name: str) -> tuple[Segment, ...]:
        """Give all segments of that name."""
        return tuple(segment for segment in self.segments if segment.name == name)

    def groups(self, *openers: str) -> Iterator[tuple[Segment, ...]]:
        """Cut the message into groups: each begins at one of `openers` and runs up to the next of them."""
        return groups(self.segments, *openers)


def groups(segments: tuple[Segment, ...], *openers: str) -> Iterator[tuple[Segment, ...]]:
    """Cut segments into groups: each begins at one of `openers` and runs up to the next of them."""
    group: list[Segment] = []
    for segment in segments:
        if segment.name in openers:
            if group:
                yield tuple(group)
            group = [segment]
        elif group:
            group.append(segment)
    if group:
        yield tuple(group)


def parse(data: bytes) -> Message:
    """Read one message; raise MessageError where there is none.

    CR ends a segment; LF and CRLF are read too, with a warning.
    """
    try:
        text, warnings = decode(data)
    except EncodingError as error:
        raise MessageError(str(error)) from None
    text = text.lstrip("\r\n\x0b").rstrip("\x1c\r\n")
    if not text.startswith("MSH"):
        raise MessageError("the file does not begin with an MSH segment", "MSH")
    delimiters = _delimiters(text)
    if "\n" in text:
        warnings = (*warnings, "segments end with LF or CRLF instead of CR")
        lines = [line for line in _SEGMENT_END.split(text) if line]
    else:
        lines = [line for line in text.split("\r") if line]
    message = Message(tuple(_segment(line, number, delimiters) for number, line in enumerate(lines, 1)), warnings)
    _judge_header(message.msh)
    return message


def _delimiters(text: str) -> Delimiters:
    """Read MSH-1 and MSH-2."""
    characters = text[3:8]
    if len(characters) < 5 or len(set(characters)) < 5 or any(character.isalnum() for character in characters):
        raise MessageError("the delimiters of the message can't be read", "MSH", "MSH-2")
    return Delimiters(*characters)


def _segment(line: str, number: int, delimiters: Delimiters) -> Segment:
    """Split one line. MSH-1 is the field separator itself, so MSH counts one further."""
    fields = line.split(delimiters.field)
    name = fields[0]
    if _SEGMENT_NAME.fullmatch(name) is None:
        raise MessageError(f"line {number} is no segment", "", "")
    if name == "MSH":
        fields.insert(1, delimiters.field)
    return Segment(name, tuple(fields), delimiters, number)


def _judge_header(msh: Segment) -> None:
    """Refuse what is no HL7 v2.5 message of SS-MIX2."""
    if not msh[12]:
        raise MessageError("the message is truncated: MSH has no version", "MSH", "MSH-12")
    if not msh[12].startswith("2.5"):
        raise MessageError("the message is not HL7 v2.5", "MSH", "MSH-12")
    if not (msh[9] and msh.first(9)[2]):
        raise MessageError("the message has no type and event", "MSH", "MSH-9")
