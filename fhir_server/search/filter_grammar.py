"""The grammar of _filter: its text as a tree of comparisons, before anything is known of types.

https://hl7.org/fhir/R4/search_filter.html

`and` and `or` have no precedence over each other: they are taken from left to right, parentheses aside.
"""

import json
import re
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from fhir_server.search.types.asked import Refused

OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re")

_WORD = re.compile(r"""\s*(?:(?P<mark>[()\[\].])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()\[\]"]+))""")
_NAME = re.compile(r"[A-Za-z0-9_\-]+(?::[A-Za-z]+)?")


class Step(NamedTuple):
    """One name of a path, `subject` or `subject:Patient`; `limit` is what its brackets ask of what it leads to."""

    name: str
    limit: "Tree | None" = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`name co "pet"`; the last step of the path is the search parameter that is compared."""

    path: tuple[Step, ...]
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Both trees have to hold (`both`), or one of them."""

    both: bool
    parts: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """The tree does not hold."""

    tree: "Tree"


Tree: TypeAlias = Comparison | Joined | Negated


class _Word(NamedTuple):
    text: str
    quoted: bool = False


_END = _Word("")
_NO_VALUE = {_END, *map(_Word, ("and", "or", "(", ")", "[", "]"))}


def tree(text: str, deepest: int) -> Tree:
    """Read a filter. Raises Refused where it is none, and too-costly where it is nested deeper than `deepest`."""
    reading = _Reading(_words(text), deepest)
    found = reading.filter(0)
    if reading.next() != _END:
        raise Refused("The filter goes on after its end: an and, an or or a parenthesis is missing")
    return found


def _words(text: str) -> list[_Word]:
    words: list[_Word] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _WORD.match(text, at)
        if found is None:
            raise Refused("A quotation mark of the filter is left open")
        at = found.end()
        quoted = found["text"]
        words.append(_Word(_unquoted(quoted), quoted=True) if quoted is not None else _Word(found["mark"] or found["word"]))
    return words


def _unquoted(text: str) -> str:
    try:
        value = str(json.loads(text))
    except ValueError:
        raise Refused("A quoted value of the filter is no JSON string") from None
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise Refused("A value of the filter holds characters that no resource can")
    return value


class _Reading:
    """Recursive descent."""

    def __init__(self, words: list[_Word], deepest: int) -> None:
        self._words, self._at, self._deepest = words, 0, deepest

    def next(self, ahead: int = 0) -> _Word:
        at = self._at + ahead
        return self._words[at] if at < len(self._words) else _END

    def _take(self, mark: str = "") -> _Word:
        word = self.next()
        if mark and word != _Word(mark):
            raise Refused(f"The filter lacks a {mark}")
        self._at += 1
        return word

    def filter(self, depth: int) -> Tree:
        if depth > self._deepest:
            raise Refused(f"A filter is nested at most {self._deepest} levels deep", "too-costly")
        found = self._part(depth)
        while self.next() in (_Word("and"), _Word("or")):
            both = self._take().text == "and"
            other = self._part(depth)
            before = found.parts if isinstance(found, Joined) and found.both == both else (found,)
            found = Joined(both, (*before, other))
        return found

    def _part(self, depth: int) -> Tree:
        if self.next() == _Word("not") and self.next(1) == _Word("("):
            self._take()
            return Negated(self._part(depth))
        if self.next() == _Word("("):
            self._take()
            found = self.filter(depth + 1)
            self._take(")")
            return found
        return self._comparison(depth)

    def _comparison(self, depth: int) -> Tree:
        path = self._path(depth)
        operator, value = self._take(), self._take()
        if operator.quoted or operator.text not in OPERATORS:
            raise Refused(f"The operators of a filter are {', '.join(OPERATORS)}", "not-supported")
        if value in _NO_VALUE:
            raise Refused(f"The filter lacks a value after {operator.text}")
        return Comparison(path, operator.text, value.text)

    def _path(self, depth: int) -> tuple[Step, ...]:
        word = self._take()
        names = word.text.split(".")
        if word.quoted or not all(_NAME.fullmatch(name) for name in names):
            raise Refused("A comparison of the filter begins with the name of a search parameter")
        steps = tuple(Step(name) for name in names)
        if self.next() != _Word("["):
            return steps
        self._take()
        limit = self.filter(depth + 1)
        self._take("]")
        self._take(".")
        return (*steps[:-1], Step(names[-1], limit), *self._path(depth + 1))
