"""UCUM: which units measure the same thing, and how many of one are another.

https://ucum.org/ucum

A unit is a product of prefixed atoms with exponents; written in base units it is a dimension ("g.m-3"), a factor and, for
temperatures, an offset. Two units of one dimension can be compared. Arbitrary units ([IU]) are dimensions of their own, as
UCUM wants them; units on a logarithmic scale ([pH], dB) have none here. The table of atoms is UCUM's own
`ucum-essence.xml`, unmodified, out of the package ucumvert; it is read (in 15 ms) when the first unit is asked for. The
package's own way through pint costs a second and 27 MB in each process, and takes [IU] and {copies} for the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, TypeAlias
from xml.etree import ElementTree as ET

SYSTEM = "http://unitsofmeasure.org"

_ESSENCE = "{http://unitsofmeasure.org/ucum-essence}"
_LONGEST, _MOST_EXPONENT = 100, 30  # of a code that is worth reading
_DIGITS = 28
# To kelvin: (value + before) x factor + after.
_TEMPERATURES = {
    "Cel": (Fraction(0), Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction("459.67"), Fraction(5, 9), Fraction(0)),
    "[degRe]": (Fraction(0), Fraction(5, 4), Fraction("273.15")),
}
_TOKEN = re.compile(r"(?P<sign>[./()])|(?P<number>[0-9]+)(?![0-9*^])|(?P<symbol>(?:10[*^]|[^\s./(){}\[\]0-9+\-]|\[[^\]\s]*\])+)"
                    r"(?P<exponent>[+-]?[0-9]+)?|(?P<annotation>\{[^{}]*\})")  # fmt: skip

_Bases: TypeAlias = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """What one of a unit is: `factor` of the base units that `dimension` names (1 for a plain number), beginning at `offset`."""

    dimension: str
    factor: Decimal
    offset: Decimal = Decimal(0)

    def in_base_units(self, value: Decimal) -> Decimal:
        """Convert a value, exactly to 28 digits."""
        return value * self.factor + self.offset if self.offset else value * self.factor


class _Product(NamedTuple):
    factor: Fraction
    bases: _Bases = ()

    def times(self, other: "_Product", sign: int = 1) -> "_Product":
        """Multiply; divide where sign is -1."""
        exponents = dict(self.bases)
        for base, exponent in other.bases:
            exponents[base] = exponents.get(base, 0) + sign * exponent
        bases = tuple(sorted((base, exponent) for base, exponent in exponents.items() if exponent))
        return _Product(self.factor * other.factor**sign, bases)

    def power(self, exponent: int) -> "_Product":
        return _Product(self.factor**exponent, tuple((base, each * exponent) for base, each in self.bases))


class _Atom(NamedTuple):
    value: Fraction
    unit: str
    metric: bool
    base: bool
    special: bool


class _Unreadable(Exception):  # noqa: N818 - it is an outcome
    pass


@lru_cache(maxsize=4096)
def unit(code: str) -> Unit | None:
    """Give what a unit's code means; None for what is no UCUM code, or has no factor."""
    if len(code) > _LONGEST:
        return None
    bare = re.sub(r"\{[^{}]*\}$", "", code)
    if bare in _TEMPERATURES:
        before, factor, after = _TEMPERATURES[bare]
        return Unit("K", _decimal(factor), _decimal(before * factor + after))
    try:
        product = _Reading(code).whole()
    except (_Unreadable, OverflowError, RecursionError):
        return None
    dimension = ".".join(base if exponent == 1 else f"{base}{exponent}" for base, exponent in product.bases)
    return Unit(dimension or "1", _decimal(product.factor))


def _decimal(number: Fraction) -> Decimal:
    with localcontext(prec=_DIGITS):
        return Decimal(number.numerator) / Decimal(number.denominator)


class _Reading:
    """One pass over a code: term = ["/"] component {("." | "/") component}."""

    def __init__(self, code: str) -> None:
        self._tokens: list[re.Match[str]] = []
        position = 0
        while position < len(code):
            found = _TOKEN.match(code, position)
            if found is None:
                raise _Unreadable
            self._tokens.append(found)
            position = found.end()
        self._next = 0

    def whole(self) -> _Product:
        product = self._term()
        if self._next < len(self._tokens):
            raise _Unreadable
        return product

    def _term(self) -> _Product:
        product = _Product(Fraction(1))
        sign = -1 if self._taken("/") else 1
        while True:
            product = product.times(self._component(), sign)
            if self._taken("."):
                sign = 1
            elif self._taken("/"):
                sign = -1
            else:
                return product

    def _component(self) -> _Product:
        if self._taken("("):
            product = self._term()
            if not self._taken(")"):
                raise _Unreadable
            return product
        found = self._tokens[self._next] if self._next < len(self._tokens) else None
        if found is None or found["sign"]:
            raise _Unreadable
        self._next += 1
        if found["annotation"]:
            return _Product(Fraction(1))
        if found["number"]:
            product = _Product(Fraction(int(found["number"])))
            if not product.factor:
                raise _Unreadable
        else:
            exponent = int(found["exponent"] or 1)
            if abs(exponent) > _MOST_EXPONENT:
                raise _Unreadable
            product = _symbol(found["symbol"]).power(exponent)
        if self._next < len(self._tokens) and self._tokens[self._next]["annotation"]:
            self._next += 1
        return product

    def _taken(self, sign: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next]["sign"] == sign:
            self._next += 1
            return True
        return False


def _symbol(symbol: str) -> _Product:
    """An atom, or a metric one behind a prefix; an atom wins: `cd` is the candela and no centiday."""
    atoms = _atoms()
    if symbol in atoms:
        return _of_atom(symbol)
    for length in (1, 2):
        prefix, rest = symbol[:length], symbol[length:]
        if prefix in _prefixes() and rest in atoms and atoms[rest].metric:
            return _of_atom(rest).times(_Product(_prefixes()[prefix]))
    raise _Unreadable


@cache
def _of_atom(code: str) -> _Product:
    atom = _atoms()[code]
    if atom.special:
        raise _Unreadable
    return _Product(Fraction(1), ((code, 1),)) if atom.base else _Product(atom.value).times(_Reading(atom.unit).whole())


@cache
def _essence() -> ET.Element:
    found = find_spec("ucumvert")
    assert found is not None
    assert found.origin is not None
    return ET.parse(Path(found.origin).parent / "vendor" / "ucum-essence.xml").getroot()  # noqa: S314 - of an installed package


@cache
def _prefixes() -> Mapping[str, Fraction]:
    prefixes = _essence().iterfind(f"{_ESSENCE}prefix")
    return {each.attrib["Code"]: Fraction(_value(each).attrib["value"]) for each in prefixes}


@cache
def _atoms() -> Mapping[str, _Atom]:
    atoms = {
        each.attrib["Code"]: _Atom(Fraction(1), "", metric=True, base=True, special=False)
        for each in _essence().iterfind(f"{_ESSENCE}base-unit")
    }
    for each in _essence().iterfind(f"{_ESSENCE}unit"):
        said, value = each.attrib, _value(each).attrib
        atoms[said["Code"]] = _Atom(
            Fraction(value.get("value", "1")),
            value["Unit"],
            metric=said["isMetric"] == "yes",
            base=said.get("isArbitrary") == "yes" and value["Unit"] == "1",
            special=said.get("isSpecial") == "yes",
        )
    return atoms


def _value(element: ET.Element) -> ET.Element:
    found = element.find(f"{_ESSENCE}value")
    assert found is not None
    return found
