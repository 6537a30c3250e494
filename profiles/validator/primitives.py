"""Rule: a primitive has the JSON type and the format of its FHIR type, and a required code is one of its value set.

https://hl7.org/fhir/R4/json.html#primitive
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from profiles.narrative import harmless, has_content
from profiles.primitives import CHECKS, Check
from profiles.structure import Property
from terminology.members import Members
from terminology.service import Terminology

Found: TypeAlias = tuple[str, str, str]
"""An issue's code, what was expected, and the severity."""

_EXPECTED = {
    "base64Binary": "base64 text",
    "boolean": "true or false",
    "canonical": "a canonical address without spaces",
    "code": "a code without leading, trailing or double spaces",
    "date": "an existing date, YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "an existing date, or date and time with seconds and zone (YYYY-MM-DDThh:mm:ss+zz:zz)",
    "decimal": "a number",
    "id": "1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'",
    "instant": "an existing date and time with seconds and zone (YYYY-MM-DDThh:mm:ss+zz:zz)",
    "integer": "a whole number of 32 bits",
    "markdown": "text that is not empty, without control characters",
    "oid": "an OID as urn:oid:...",
    "positiveInt": "a whole number from 1 to 2147483647",
    "string": "text that is not empty, at most 1 MiB, without control characters",
    "time": "a time of day (hh:mm:ss)",
    "unsignedInt": "a whole number from 0 to 2147483647",
    "uri": "an address without spaces",
    "url": "an address without spaces",
    "uuid": "a lower-case UUID as urn:uuid:...",
    "xhtml": "XHTML text",
}
_NUMBERS = frozenset(("decimal", "integer", "positiveInt", "unsignedInt"))


def check_of(property: Property, terminology: Terminology) -> Check:
    """Give the one test that a value of the property has to pass: format, required binding; a narrative harms nobody and says something."""
    check = CHECKS[property.type]
    if property.type == "xhtml":
        return lambda value: check(value) and harmless(value) and has_content(value)
    if property.binding is None:
        return check
    return _bound(check, property.binding, terminology)


def explained(property: Property, value: Any) -> Found:
    """Say what is wrong with a value that did not pass."""
    if property.type == "xhtml" and isinstance(value, str) and value:
        if CHECKS["xhtml"](value) and harmless(value):  # a warning: an official example does it, and it harms nobody
            return "invariant", f"txt-2: {property.name} has to hold some text or image", "warning"
        return "invalid", f"{property.name} has to be one div of formatting only, without scripts, forms or frames", "error"
    if CHECKS[property.type](value):
        return "code-invalid", f"{property.name} has to be a code of the value set {property.binding}", "error"
    right_json = isinstance(value, bool) if property.type == "boolean" else _json_fits(property.type, value)
    return "value" if right_json else "structure", f"{property.name} has to be {_EXPECTED[property.type]}", "error"


def _json_fits(type: str, value: Any) -> bool:
    if type in _NUMBERS:
        return not isinstance(value, str | bool | dict | list) and value is not None
    return isinstance(value, str)


def _bound(check: Check, value_set: str, terminology: Terminology) -> Check:
    """Join a format with a required binding. The value set is read when the first value comes."""
    contains: Callable[[str], bool | None] | None = None

    def bound(value: Any) -> bool:
        nonlocal contains
        if contains is None:
            contains = (terminology.members(value_set) or _UNKNOWN).contains
        return check(value) and contains(value) is not False

    return bound


_UNKNOWN = Members(maybe=("*",))
