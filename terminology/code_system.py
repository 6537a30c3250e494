"""Code systems: their codes and which stands under which.

https://hl7.org/fhir/R4/codesystem.html
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec


class _Property(msgspec.Struct):
    code: str
    valueCode: str | None = None  # noqa: N815 - FHIR's name
    valueBoolean: bool | None = None  # noqa: N815 - FHIR's name


class _Concept(msgspec.Struct):
    code: str
    concept: tuple["_Concept", ...] = ()
    property: tuple[_Property, ...] = ()


class _Resource(msgspec.Struct):
    url: str
    content: str
    concept: tuple[_Concept, ...] = ()


_read = msgspec.json.Decoder(_Resource).decode

_ABOVE = frozenset(("parent", "subsumedBy"))  # properties that name a second parent


class CodeSystem:
    """The codes of one system. `complete` is False where the package holds only some of them."""

    def __init__(self, data: bytes) -> None:
        resource = _read(data)
        self.url = resource.url
        self.complete = resource.content == "complete" and bool(resource.concept)
        self._children: dict[str, set[str]] = {}
        self._headings: set[str] = set()
        for concept, parents in _walk(resource.concept, None):
            self._children.setdefault(concept.code, set())
            for parent in parents:
                self._children.setdefault(parent, set()).add(concept.code)
            if any(each.code == "notSelectable" and each.valueBoolean for each in concept.property):
                self._headings.add(concept.code)

    @property
    def codes(self) -> frozenset[str]:
        """All codes that are known here and may be used: headings (`notSelectable`) are none."""
        return frozenset(self._children) - self._headings

    def __contains__(self, code: str) -> bool:
        """Tell whether the system has the code, be it a heading."""
        return code in self._children

    def under(self, code: str) -> frozenset[str]:
        """Give the code and everything below it, as the filter `is-a` means, without headings."""
        return self.below(code) - self._headings

    def below(self, code: str) -> frozenset[str]:
        """Give the code and everything that it subsumes."""
        return _reached(code, self._children)

    def above(self, code: str) -> frozenset[str]:
        """Give the code and everything that subsumes it."""
        parents: dict[str, set[str]] = {each: set() for each in self._children}
        for parent, children in self._children.items():
            for child in children:
                parents[child].add(parent)
        return _reached(code, parents)


def _reached(code: str, ways: Mapping[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [code] if code in ways else []
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting.extend(ways[each])
    return frozenset(found)


def _walk(concepts: Sequence[_Concept], parent: str | None) -> Iterator[tuple[_Concept, list[str]]]:
    for concept in concepts:
        above = [each.valueCode for each in concept.property if each.code in _ABOVE and each.valueCode]
        yield concept, above if parent is None else [parent, *above]
        yield from _walk(concept.concept, concept.code)
