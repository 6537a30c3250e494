"""Terminology: whether a code belongs to a value set.

https://hl7.org/fhir/R4/valueset-operation-validate-code.html

Value sets are read from the package when first asked for and kept as sets of codes.
"""

from functools import cache, cached_property

from terminology import package
from terminology.code_system import CodeSystem
from terminology.members import Members
from terminology.value_set import composed, expanded


class Terminology:
    """The value sets and code systems of the package `hl7.fhir.r4.core`."""

    def __init__(self) -> None:
        self._members: dict[str, Members | None] = {}
        self._code_systems: dict[str, CodeSystem] = {}

    def validate_code(self, value_set: str, code: str, system: str | None = None) -> bool | None:
        """Tell whether the code belongs to the value set; without a system, whether it does in any.

        None means that it cannot be told here: the value set is unknown, or it draws on a code system that is not in
        the package (LOINC, SNOMED CT, UCUM, ...).
        """
        members = self.members(value_set)
        return members.contains(code, system) if members is not None else None

    def members(self, value_set: str) -> Members | None:
        """Give what is known of a value set's members by its canonical, whatever its version; None for an unknown one."""
        value_set = value_set.partition("|")[0]
        if value_set not in self._members:
            if value_set not in self._value_sets and value_set not in self._expansions:
                return None  # and nothing is kept of what anybody may ask
            self._members[value_set] = None  # one that includes itself, by whatever way, finds nothing to add
            self._members[value_set] = self._read(value_set)
        return self._members[value_set]

    @property
    def code_systems(self) -> frozenset[str]:
        """The canonicals of the code systems whose codes are known."""
        return frozenset(self._code_system_resources)

    def _read(self, value_set: str) -> Members | None:
        if value_set in self._expansions and (members := expanded(self._expansions[value_set])) is not None:
            return members
        if value_set in self._value_sets:
            return composed(self._value_sets[value_set], self.code_system, self.members)
        return None

    def code_system(self, url: str) -> CodeSystem | None:
        """Give a code system of the package; None for any other."""
        if url not in self._code_systems:
            data = self._code_system_resources.get(url)
            if data is None:
                return None
            self._code_systems[url] = CodeSystem(data)
        return self._code_systems[url]

    @cached_property
    def _expansions(self) -> dict[str, bytes]:
        return package.by_url(package.CORE, "ValueSet-expansions-free")

    @cached_property
    def _value_sets(self) -> dict[str, bytes]:
        return package.by_url(package.CORE, "ValueSet")

    @cached_property
    def _code_system_resources(self) -> dict[str, bytes]:
        return package.by_url(package.CORE, "CodeSystem")


@cache
def r4() -> Terminology:
    """Give the terminology of FHIR R4 4.0.1, one for the process."""
    return Terminology()
