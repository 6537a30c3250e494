"""Functions of strings.

https://hl7.org/fhirpath/N1/#string-manipulation; split, join, trim, encode, escape are of the following version.
"""

import base64
import binascii
import html
import json
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import TypeVar

import regex

from profiles.fhirpath.context import Context
from profiles.fhirpath.error import FhirPathError, FhirPathLimitError
from profiles.fhirpath.functions.function import Function
from profiles.fhirpath.items import MAX_TEXT, NONE, Items, number, string, text, truth, whole

MAX_SECONDS_OF_MATCHING = 0.1
"""How long one regular expression may search; some take centuries."""
STEPS_OF_A_SECOND = 2_000_000
CHARACTERS_OF_A_STEP = 64

Result = TypeVar("Result")


def _input(context: Context, items: Items) -> str | None:
    """Give the string that a function works on, and count its length as work."""
    value = text(items)
    if value is not None:
        context.spend(len(value) // CHARACTERS_OF_A_STEP)
    return value


def _asks(judge: Callable[[str, str], bool]) -> Function:
    """A question about a string and another."""

    def call(context: Context, items: Items, other: Items) -> Items:
        value, argument = _input(context, items), text(other, "an argument")
        return NONE if value is None or argument is None else truth(judge(value, argument))

    return Function(call, 1, 1)


def _searches(search: Callable[["regex.Pattern[str]", str], object]) -> Function:
    """A question about a string and a regular expression."""

    def call(context: Context, items: Items, other: Items) -> Items:
        value, pattern = _input(context, items), text(other, "an argument")
        if value is None or pattern is None:
            return NONE
        return truth(_timed(context, lambda: search(_compiled(pattern), value)) is not None)

    return Function(call, 1, 1)


def _timed(context: Context, search: Callable[[], Result]) -> Result:
    """Search with a limit of time, and count the time as work: many fast ones are as bad as a slow one."""
    began = perf_counter()
    try:
        return search()
    except TimeoutError as error:
        raise FhirPathLimitError(f"a regular expression searches longer than {MAX_SECONDS_OF_MATCHING} s") from error
    finally:
        context.steps -= int((perf_counter() - began) * STEPS_OF_A_SECOND)


def _makes(make: Callable[[str], str]) -> Function:
    """A string out of a string."""

    def call(context: Context, items: Items) -> Items:
        value = _input(context, items)
        return NONE if value is None else string(make(value))

    return Function(call)


def _position(find: Callable[[str, str], int]) -> Function:
    def call(context: Context, items: Items, other: Items) -> Items:
        value, argument = _input(context, items), text(other, "an argument")
        return NONE if value is None or argument is None else number(find(value, argument))

    return Function(call, 1, 1)


def _substring(context: Context, items: Items, start: Items, length: Items | None = None) -> Items:
    value, first, count = _input(context, items), whole(start), whole(length) if length is not None else None
    if value is None or first is None or not 0 <= first < len(value):
        return NONE
    return string(value[first:] if count is None else value[first : first + max(count, 0)])


def _replace(context: Context, items: Items, pattern: Items, substitution: Items) -> Items:
    value, old, new = _input(context, items), text(pattern, "an argument"), text(substitution, "an argument")
    if value is None or old is None or new is None:
        return NONE
    if len(value) + (value.count(old) if old else len(value) + 1) * len(new) > MAX_TEXT:
        raise FhirPathLimitError(f"a text becomes longer than {MAX_TEXT} characters")
    return string(value.replace(old, new))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> "regex.Pattern[str]":
    if len(pattern) > 2000:
        raise FhirPathLimitError("a regular expression is longer than 2000 characters")
    try:
        return regex.compile(pattern, regex.DOTALL | regex.V0)
    except (regex.error, ValueError, OverflowError, RecursionError) as error:
        raise FhirPathError("a regular expression is not understood") from error


def _replace_matches(context: Context, items: Items, pattern: Items, substitution: Items) -> Items:
    value, old, new = _input(context, items), text(pattern, "an argument"), text(substitution, "an argument")
    if value is None or old is None or new is None:
        return NONE
    if not old:
        return string(value)
    if len(value) * (len(new) + 1) > MAX_TEXT:
        raise FhirPathLimitError(f"a text becomes longer than {MAX_TEXT} characters")
    try:
        return string(_timed(context, lambda: _compiled(old).sub(_groups(new), value, timeout=MAX_SECONDS_OF_MATCHING)))
    except (regex.error, IndexError) as error:
        raise FhirPathError("the substitution of replaceMatches() is not understood") from error


def _groups(substitution: str) -> str:
    r"""Write `$1` and `${name}` as Python does, and no other escape."""
    return str(regex.sub(r"\$(\d+)|\$\{(\w+)\}", r"\\g<\1\2>", substitution.replace("\\", "\\\\")))


def _split(context: Context, items: Items, separator: Items) -> Items:
    value, between = _input(context, items), text(separator, "an argument")
    if value is None or between is None:
        return NONE
    parts = value.split(between) if between else list(value)
    context.spend(len(parts))
    return [item for part in parts for item in string(part)]


def _to_chars(context: Context, items: Items) -> Items:
    return _split(context, items, string(""))


def _join(_context: Context, items: Items, separator: Items | None = None) -> Items:
    between = text(separator, "an argument") if separator is not None else ""
    if any(not isinstance(value, str) for _, value, _ in items):
        raise FhirPathError("join() takes strings only")
    return NONE if not items or between is None else string(between.join(value for _, value, _ in items))


def _coded(coders: dict[str, Callable[[str], str]]) -> Function:
    def call(context: Context, items: Items, format: Items) -> Items:
        value, name = _input(context, items), text(format, "an argument")
        if value is None or name is None or name not in coders:
            return NONE
        try:
            return string(coders[name](value))
        except (binascii.Error, UnicodeError, ValueError) as error:
            raise FhirPathError(f"a text is not {name}") from error

    return Function(call, 1, 1)


FUNCTIONS = {
    "contains": _asks(lambda value, part: part in value),
    "startsWith": _asks(str.startswith),
    "endsWith": _asks(str.endswith),
    "matches": _searches(lambda pattern, value: pattern.search(value, timeout=MAX_SECONDS_OF_MATCHING)),
    "matchesFull": _searches(lambda pattern, value: pattern.fullmatch(value, timeout=MAX_SECONDS_OF_MATCHING)),
    "indexOf": _position(str.find),
    "lastIndexOf": _position(str.rfind),
    "substring": Function(_substring, 1, 2),
    "upper": _makes(str.upper),
    "lower": _makes(str.lower),
    "trim": _makes(str.strip),
    "length": Function(lambda _context, items: NONE if (value := text(items)) is None else number(len(value))),
    "replace": Function(_replace, 2, 2),
    "replaceMatches": Function(_replace_matches, 2, 2),
    "toChars": Function(_to_chars),
    "split": Function(_split, 1, 1),
    "join": Function(_join, 0, 1),
    "encode": _coded(
        {
            "base64": lambda value: base64.b64encode(value.encode()).decode(),
            "urlbase64": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
            "hex": lambda value: value.encode().hex(),
        }
    ),
    "decode": _coded(
        {
            "base64": lambda value: base64.b64decode(value, validate=True).decode(),
            "urlbase64": lambda value: base64.urlsafe_b64decode(value).decode(),
            "hex": lambda value: bytes.fromhex(value).decode(),
        }
    ),
    "escape": _coded({"html": html.escape, "json": lambda value: json.dumps(value, ensure_ascii=False)[1:-1]}),
    "unescape": _coded({"html": html.unescape, "json": lambda value: str(json.loads(f'"{value}"'))}),
}
