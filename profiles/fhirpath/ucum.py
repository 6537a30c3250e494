"""The part of UCUM that is needed to compare, multiply and divide quantities.

https://ucum.org/ucum: a unit is a product of prefixed atoms with exponents; two are commensurable when the same base units remain.
Units that are not multiples of base units (Cel, [degF], pH) are base units of their own here: equal only to themselves.
"""

import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

_PREFIXES = {
    "Y": 24, "Z": 21, "E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1,
    "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15, "a": -18, "z": -21, "y": -24,
}  # fmt: skip

# An atom's value in other atoms: (factor, unit). What is not here is its own base unit.
_ATOMS = {
    "L": ("1", "dm3"), "l": ("1", "dm3"), "t": ("1000", "kg"), "ar": ("100", "m2"),
    "min": ("60", "s"), "h": ("3600", "s"), "d": ("86400", "s"), "wk": ("7", "d"), "a": ("365.25", "d"), "mo": ("30.4375", "d"),
    "Hz": ("1", "s-1"), "N": ("1", "kg.m/s2"), "Pa": ("1", "N/m2"), "J": ("1", "N.m"), "W": ("1", "J/s"), "bar": ("100000", "Pa"),
    "A": ("1", "C/s"), "V": ("1", "J/C"), "Ohm": ("1", "V/A"), "F": ("1", "C/V"), "S": ("1", "Ohm-1"), "Wb": ("1", "V.s"),
    "T": ("1", "Wb/m2"), "H": ("1", "Wb/A"), "lm": ("1", "cd.sr"), "lx": ("1", "lm/m2"), "Bq": ("1", "s-1"), "Gy": ("1", "J/kg"), "Sv": ("1", "J/kg"),
    "eV": ("0.0000000000000000001602176634", "J"), "atm": ("101325", "Pa"), "m[Hg]": ("133322", "Pa"), "m[H2O]": ("9806.65", "Pa"),
    "cal": ("4.184", "J"), "[Cal]": ("1", "kcal"), "g%": ("1", "g/dl"),
    "mol": ("602213670000000000000000", "1"), "eq": ("1", "mol"), "osm": ("1", "mol"), "kat": ("1", "mol/s"), "U": ("1", "umol/min"),
    "%": ("0.01", "1"), "[ppth]": ("0.001", "1"), "[ppm]": ("0.000001", "1"), "[ppb]": ("0.000000001", "1"), "10*": ("10", "1"), "10^": ("10", "1"),
    "[pi]": ("3.1415926535897932384626433832795", "1"), "rad": ("1", "1"), "sr": ("1", "1"), "deg": ("0.01745329251994329576923690768", "1"),
    "[in_i]": ("2.54", "cm"), "[ft_i]": ("12", "[in_i]"), "[yd_i]": ("3", "[ft_i]"), "[mi_i]": ("5280", "[ft_i]"), "[nmi_i]": ("1852", "m"),
    "[lb_av]": ("16", "[oz_av]"), "[oz_av]": ("28.349523125", "g"), "[gr]": ("64.79891", "mg"), "[stone_av]": ("14", "[lb_av]"),
    "[gal_us]": ("231", "[in_i]3"), "[qt_us]": ("0.25", "[gal_us]"), "[pt_us]": ("0.125", "[gal_us]"), "[foz_us]": ("0.0078125", "[gal_us]"),
    "[tbs_us]": ("0.5", "[foz_us]"), "[tsp_us]": ("0.3333333333333333333333333333", "[tbs_us]"), "[cup_us]": ("16", "[tbs_us]"),
    "[iU]": ("1", "[IU]"), "[mi_us]": ("1609.347", "m"), "[psi]": ("6894.757293168", "Pa"), "[kn_i]": ("1", "[nmi_i]/h"), "[drp]": ("0.05", "ml"),
}  # fmt: skip
_BASE = frozenset(("m", "s", "g", "rad", "K", "C", "cd", "[IU]", "[arb'U]", "[degF]", "Cel", "[pH]", "[hp_X]", "B", "Np", "bit", "By"))
_METRIC = frozenset(
    (
        "m",
        "s",
        "g",
        "K",
        "C",
        "cd",
        "L",
        "l",
        "t",
        "ar",
        "Hz",
        "N",
        "Pa",
        "J",
        "W",
        "bar",
        "A",
        "V",
        "Ohm",
        "F",
        "S",
        "Wb",
        "T",
        "H",
        "lm",
        "lx",
        "Bq",
        "Gy",
        "Sv",
        "eV",
        "m[Hg]",
        "m[H2O]",
        "cal",
        "mol",
        "eq",
        "osm",
        "kat",
        "U",
        "rad",
        "sr",
        "[iU]",
        "[IU]",
        "Cel",
        "B",
        "Np",
        "bit",
        "By",
        "g%",
    )
)
_TERM = re.compile(r"(10[*^]|[A-Za-z'%]*(?:\[[^\]]*\])?[A-Za-z'%]*)([+-]?\d+)?(\{[^}]*\})?")


@dataclass(frozen=True, slots=True)
class Unit:
    """A factor and the exponents of the base units."""

    factor: Fraction
    base: frozenset[tuple[str, int]]


@lru_cache(maxsize=1024)
def unit(code: str) -> Unit | None:
    """Take a UCUM code apart; None where it is not known here."""
    factor, exponents = Fraction(1), Counter[str]()
    sign = 1
    if len(code) > 100:
        return None
    for part in re.split(r"([./])", code):
        if part in {".", "/"}:
            sign = -1 if part == "/" else 1
            continue
        found = _term(part) if part or code.startswith("/") else None
        if found is None:
            return None
        factor *= found.factor**sign
        for name, exponent in found.base:
            exponents[name] += exponent * sign
    return Unit(factor, frozenset((name, exponent) for name, exponent in exponents.items() if exponent))


def _term(text: str) -> Unit | None:
    if text.isdigit() or not text:
        number = int(text or 1) if len(text) < 20 else 0
        return Unit(Fraction(number), frozenset()) if number else None
    found = _TERM.fullmatch(text)
    if found is None:
        return None
    exponent = int(found[2] or 1)
    atom = _atom(found[1]) if found[1] else Unit(Fraction(1), frozenset())
    if atom is None or abs(exponent) > 30:
        return None
    return Unit(atom.factor**exponent, frozenset((name, power * exponent) for name, power in atom.base))


def _atom(name: str) -> Unit | None:
    if name in _ATOMS:
        factor, other = _ATOMS[name]
        inner = unit(other)
        return Unit(Fraction(factor) * inner.factor, inner.base) if inner else None
    if name in _BASE:
        return Unit(Fraction(1), frozenset(((name, 1),)))
    for prefix, power in _PREFIXES.items():
        if name.startswith(prefix) and name[len(prefix) :] in _METRIC:
            atom = _atom(name[len(prefix) :])
            return Unit(atom.factor * Fraction(10) ** power, atom.base) if atom else None
    return None
