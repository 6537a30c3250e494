"""What a FHIRPath expression is made of.

https://hl7.org/fhirpath/N1/grammar.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Focus:
    """What the expression, or the argument of a function, is evaluated on."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a function that iterates sets: `$this`, `$index`, `$total`."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """`%resource` and the like."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the expression: bool, int, Decimal, str, Temporal or Quantity."""

    value: Any


@dataclass(frozen=True, slots=True)
class Nothing:
    """`{}`."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first name of a path: a type's name, or an element of what the expression is evaluated on."""

    name: str


@dataclass(frozen=True, slots=True)
class Child:
    """An element of what `base` gives."""

    base: "Tree"
    name: str


@dataclass(frozen=True, slots=True)
class OfType:
    """`is`, `as` and `ofType` with a type, written as operator or as function; the type may name FHIR or System before a dot."""

    base: "Tree"
    word: str
    type: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function of what `base` gives."""

    base: "Tree"
    name: str
    arguments: tuple["Tree", ...] = ()


@dataclass(frozen=True, slots=True)
class Indexer:
    """One of all values, by its place from 0."""

    base: "Tree"
    index: "Tree"


@dataclass(frozen=True, slots=True)
class Sign:
    """`-` before a number."""

    base: "Tree"


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator between two trees, except `is` and `as`."""

    operator: str
    left: "Tree"
    right: "Tree"


Tree: TypeAlias = Focus | Scope | Variable | Literal | Nothing | Head | Child | OfType | Call | Indexer | Sign | Operation


def parts(tree: Tree) -> Iterator[Tree]:
    """Give the trees right below a tree."""
    match tree:
        case Child(base) | OfType(base) | Sign(base):
            yield base
        case Call(base, _, arguments):
            yield base
            yield from arguments
        case Indexer(left, right) | Operation(_, left, right):
            yield left
            yield right


def heads(tree: Tree) -> frozenset[str]:
    """Give the names that the paths in a tree begin with; what stands in arguments and indexes begins nothing."""
    match tree:
        case Head(name):
            return frozenset((name,))
        case Operation(_, left, right):
            return heads(left) | heads(right)
        case Child(base) | OfType(base) | Sign(base) | Call(base) | Indexer(base):
            return heads(base)
    return frozenset()
