"""Statistics of a sample of numbers, exact as far as decimals are.

https://hl7.org/fhir/R4/valueset-observation-statistics.html
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal
from types import MappingProxyType
from typing import TypeAlias

Sample: TypeAlias = Sequence[Decimal]

SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-statistics"
_CONTEXT = Context(prec=12)


def _average(sample: Sample) -> Decimal:
    return _CONTEXT.divide(sum(sample, Decimal(0)), Decimal(len(sample)))


def _percentile(sample: Sample, share: Decimal) -> Decimal:
    """Between the two nearest values in proportion, as most statistics programs do."""
    ordered = sorted(sample)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _variance(sample: Sample) -> Decimal | None:
    """Of the sample, with n - 1; one value has none."""
    if len(sample) < 2:
        return None
    mean = _average(sample)
    squares = sum(((value - mean) ** 2 for value in sample), Decimal(0))
    return _CONTEXT.divide(squares, Decimal(len(sample) - 1))


def _deviation(sample: Sample) -> Decimal | None:
    variance = _variance(sample)
    return None if variance is None else _CONTEXT.sqrt(variance)


STATISTICS: Mapping[str, Callable[[Sample], Decimal | None]] = MappingProxyType(
    {
        "average": _average,
        "maximum": max,
        "minimum": min,
        "count": lambda sample: Decimal(len(sample)),
        "total-count": lambda sample: Decimal(len(sample)),
        "median": lambda sample: _percentile(sample, Decimal("0.5")),
        "std-dev": _deviation,
        "sum": lambda sample: sum(sample, Decimal(0)),
        "variance": _variance,
        "20-percent": lambda sample: _percentile(sample, Decimal("0.2")),
        "80-percent": lambda sample: _percentile(sample, Decimal("0.8")),
        "4-lower": lambda sample: _percentile(sample, Decimal("0.25")),
        "4-upper": lambda sample: _percentile(sample, Decimal("0.75")),
    }
)
"""Code of the statistic -> its value for a sample that is not empty; None where it has none."""

UNITLESS = frozenset({"count", "total-count"})
