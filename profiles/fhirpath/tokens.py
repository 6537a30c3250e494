"""The words of FHIRPath.

https://hl7.org/fhirpath/N1/#lexical-elements
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.temporal import Temporal

MAX_EXPRESSION = 20_000
"""Characters of an expression. The longest invariant of R4 has 900."""

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_DATE = r"\d{4}(?:-\d\d(?:-\d\d)?)?"
_CLOCK = r"\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?"
_TOKEN = re.compile(
    rf"@(?P<time>T{_CLOCK}(?![\d:Z+]))"
    rf"|@(?P<date>{_DATE}(?P<moment>T(?:{_CLOCK}(?:Z|[+-]\d\d:\d\d)?)?)?)"
    r"|%(?P<variable>(?:vs|ext)-[\w\-]+|[A-Za-z_]\w*|`(?:[^`\\]|\\.)*`|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|\$(?P<dollar>this|index|total)\b"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|`(?P<quoted>(?:[^`\\]|\\.)*)`"
    r"|'(?P<string>(?:[^'\\]|\\.)*)'"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<symbol><=|>=|!=|!~|[-.()\[\]{}|=~<>+*/&,])",
    re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/"}


class Token(NamedTuple):
    """A word: its kind (name, quoted, literal, string, variable, dollar, symbol, end), its text or value, where it begins."""

    kind: str
    value: Any
    at: int


def split(expression: str) -> list[Token]:
    """Take an expression apart, without space and comments; the last token is of kind `end`. FhirPathError for what is no token."""
    if len(expression) > MAX_EXPRESSION:
        raise FhirPathError(f"a FHIRPath expression is longer than {MAX_EXPRESSION} characters")
    tokens: list[Token] = []
    at = _after_space(expression, 0)
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if found is None:
            raise FhirPathError(f"character {at + 1} is not understood")
        tokens.append(_token(found, at))
        at = _after_space(expression, found.end())
    tokens.append(Token("end", "", at))
    return tokens


def _after_space(expression: str, at: int) -> int:
    found = _SPACE.match(expression, at)
    return found.end() if found is not None else at


def _token(found: re.Match[str], at: int) -> Token:
    kind = found.lastgroup or ""
    text = found[kind]
    match kind:
        case "date" | "moment" | "time":
            return Token("literal", _moment(found, at), at)
        case "number":
            return Token("literal", _number(text, at), at)
        case "string" | "quoted":
            return Token(kind, unescaped(text, at), at)
        case "variable":
            return Token(kind, unescaped(text[1:-1], at) if text[0] in "`'\"" else text, at)
    return Token(kind, text, at)


def _moment(found: re.Match[str], at: int) -> Temporal:
    try:
        return Temporal.parse(found["time"] or found["date"], "time" if found["time"] else "dateTime" if found["moment"] else "date")
    except ValueError as error:
        raise FhirPathError(f"character {at + 1}: no such date or time") from error


def _number(text: str, at: int) -> int | Decimal:
    try:
        return Decimal(text) if "." in text or len(text) > 18 else int(text)
    except InvalidOperation as error:
        raise FhirPathError(f"character {at + 1}: a number is out of range") from error


def unescaped(text: str, at: int = 0) -> str:
    """Resolve the escapes of a string. https://hl7.org/fhirpath/N1/#string-1."""

    def character(found: re.Match[str]) -> str:
        if found[1] is not None:
            return chr(int(found[1], 16))
        if found[2] not in _ESCAPED:
            raise FhirPathError(f"character {at + 1}: an escape sequence is not understood")
        return _ESCAPED[found[2]]

    if "\\" not in text:
        return text
    try:  # two escapes may be the halves of one character
        return _ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise FhirPathError(f"character {at + 1}: half a character is escaped") from error
