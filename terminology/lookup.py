"""Value sets and code systems that are kept elsewhere (by a server), beside those of the package.

A value set is made of others, and these of others again. So a Lookup answers as far as it can, and says in `lacking` which
resources it would have needed; whoever keeps them fetches and gives them, and asks again. Pure: it fetches nothing.
"""

from typing import NamedTuple

import msgspec

from terminology.code_system import CodeSystem
from terminology.members import Members
from terminology.service import Terminology
from terminology.value_set import composed, expanded


class Canonical(NamedTuple):
    """What is lacking: `type` is ValueSet or CodeSystem, `url` its canonical (of a value set with |version where one was named)."""

    type: str
    url: str


class Lookup:
    """One question to terminology. `package` is what is known without looking anything up."""

    def __init__(self, package: Terminology) -> None:
        self._package = package
        self._given: dict[Canonical, bytes | None] = {}
        self._open: set[str] = set()
        self.lacking: set[Canonical] = set()

    def give(self, canonical: Canonical, data: bytes | None) -> None:
        """Take a resource's JSON that was lacking; None where nobody has it."""
        self._given[canonical] = data
        self.lacking.discard(canonical)

    def members(self, url: str) -> Members | None:
        """Give a value set's members; None where it is not known (yet)."""
        known = self._package.members(url)
        if known is not None:
            return known
        data = self._kept("ValueSet", url)
        if data is None or url in self._open:  # one that includes itself finds nothing to add
            return None
        self._open.add(url)
        try:
            return self.members_of(data)
        finally:
            self._open.discard(url)

    def members_of(self, data: bytes) -> Members | None:
        """Give the members of the ValueSet that this JSON is; None where it cannot be read."""
        try:
            members = expanded(data)
            return composed(data, self.code_system, self.members) if members is None else members
        except msgspec.DecodeError:
            return None

    def code_system(self, url: str) -> CodeSystem | None:
        """Give a code system; None where it is not known (yet), or cannot be read."""
        known = self._package.code_system(url)
        if known is not None:
            return known
        data = self._kept("CodeSystem", url)
        try:
            return CodeSystem(data) if data is not None else None
        except msgspec.DecodeError:
            return None

    def _kept(self, type: str, url: str) -> bytes | None:
        canonical = Canonical(type, url)
        if canonical not in self._given:
            self.lacking.add(canonical)
        return self._given.get(canonical)
