"""JSON that keeps FHIR decimals exact.

https://hl7.org/fhir/R4/json.html

`1.00` says something that `1.0` does not, so a number with a fraction or an exponent becomes a Decimal and is written
as it came. The order of keys is kept. What is not JSON fails with JsonError, whatever the reason: a caller has one
exception to know, and its text never repeats what was sent.
"""

import json as standard
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

MAX_DEPTH = 100
"""Objects and arrays inside each other. The deepest official example has 17 levels."""

_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


class JsonError(ValueError):
    """What was sent is not JSON that can be taken; `diagnostics` says why without repeating any of it."""

    def __init__(self, diagnostics: str) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics


def decode(data: bytes) -> Any:
    """Read UTF-8 JSON: numbers become int, or Decimal where they have a fraction or an exponent."""
    try:
        value = _decode(data)
    except UnicodeDecodeError as error:
        raise JsonError("The text is not UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except InvalidOperation as error:
        raise JsonError("A number's exponent is out of range") from error
    except msgspec.ValidationError as error:  # the only one without a schema: an integer of thousands of digits
        raise JsonError("An integer is out of range") from error
    except msgspec.DecodeError as error:
        raise JsonError(_position(str(error))) from error
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _check_depth(data)
    _check_names(data, value)
    return value


def encode(value: Any) -> bytes:
    """Write compact UTF-8 JSON: Decimals as the numbers they are, characters unescaped, keys in their order.

    Raises JsonError for what has no JSON: lone surrogates, values nested without end.
    """
    try:
        return _encode(value)
    except RecursionError as error:
        raise _too_deep() from error
    except UnicodeEncodeError as error:
        raise JsonError("A string holds a lone surrogate") from error


def _check_depth(data: bytes) -> None:
    """Refuse deep nesting: take the strings out, then the innermost pair of brackets again and again.

    `data` is known to be JSON. A bundle's text is searched four times as fast as its value is walked.
    """
    without_escapes = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = b"".join(without_escapes.split(b'"')[::2]).translate(_ONE_KIND, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    if brackets:
        raise _too_deep()


def _check_names(data: bytes, value: Any) -> None:
    """Refuse an object that names a property twice: two readers would see two resources.

    The decoder keeps the last one and says nothing. What it dropped had quotes around its name, so the value written
    again has fewer quotes; only escaped quotes could hide that, and then a slower reader looks.
    """
    if b"\\u0022" in data:
        standard.loads(data, object_pairs_hook=_unique)
    elif data.count(b'"') != _encode(value).count(b'"'):
        raise _named_twice()


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _named_twice()


def _named_twice() -> JsonError:
    return JsonError("An object has two properties of the same name")


def _too_deep() -> JsonError:
    return JsonError(f"The JSON is nested deeper than {MAX_DEPTH} levels")


def _position(text: str) -> str:
    """Say where JSON ends to be JSON; msgspec names the byte and what it missed, never the content."""
    return "The JSON is " + text.removeprefix("JSON is ") if text.startswith("JSON is ") else "The JSON ends too early or is malformed"
