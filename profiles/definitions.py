"""Every FHIR definition this server is derived from, loaded once and immutable.

The definitions of R4 4.0.1 lie in `packages/hl7.fhir.r4.core`. What the network defines itself, and corrections of
SearchParameters whose official expression is broken, lie in `packages/network` and take the place of the official
ones with the same `url`.
"""

from collections.abc import Mapping
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

import msgspec

from profiles import package
from profiles.json import decode
from profiles.structure import Shapes, read_snapshot

_OF_A_SEARCH_PARAMETER = (
    "id",
    "url",
    "name",
    "code",
    "base",
    "type",
    "expression",
    "target",
    "multipleOr",
    "multipleAnd",
    "comparator",
    "modifier",
    "chain",
    "component",
    "description",
)


class _Heading(msgspec.Struct):
    id: str


_heading = msgspec.json.Decoder(_Heading).decode


class Definitions:
    """The conformance resources of FHIR R4 and of the network. Everything is read when first asked for."""

    @cached_property
    def shapes(self) -> Shapes:
        """The shapes of all resource and data types, see `profiles.structure`."""
        snapshots = (read_snapshot(line) for line in package.lines(package.CORE, "StructureDefinition-base"))
        return Shapes({snapshot.type: snapshot for snapshot in snapshots})

    @cached_property
    def resource_types(self) -> tuple[str, ...]:
        """The names of all concrete resource types, sorted."""
        return self.shapes.resource_types

    def structure(self, type: str) -> dict[str, Any] | None:
        """Give the whole StructureDefinition of a type. Reads the package anew each time: nothing for every request."""
        for line in package.lines(package.CORE, "StructureDefinition-base"):
            if _heading(line).id == type:
                structure: dict[str, Any] = decode(line)
                return structure
        return None

    @cached_property
    def search_parameters(self) -> tuple[dict[str, Any], ...]:
        """All SearchParameters that name their `base`, each reduced to what says how to search."""
        read = [decode(line) for line in package.lines(package.CORE, "SearchParameter")]
        read += [decode(data) for data in package.files(package.NETWORK, "SearchParameter-*.json")]
        by_url = {parameter["url"]: parameter for parameter in read if parameter.get("base")}
        return tuple({key: parameter[key] for key in _OF_A_SEARCH_PARAMETER if key in parameter} for parameter in by_url.values())

    def compartment(self, code: str) -> Mapping[str, tuple[str, ...]]:
        """Give, for each type in a compartment, the codes of the search parameters that put a resource into it.

        https://hl7.org/fhir/R4/compartmentdefinition.html. KeyError where there is no such compartment.
        """
        return self.compartments[code]

    @cached_property
    def compartments(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """The compartments by code (`Patient`, `Encounter`, ...)."""
        read = (decode(line) for line in package.lines(package.CORE, "CompartmentDefinition"))
        return MappingProxyType({each["code"]: _members(each) for each in read if each["id"] != "example"})

    @cached_property
    def operations(self) -> tuple[dict[str, Any], ...]:
        """The OperationDefinitions of R4, and the network's own."""
        return (*(decode(line) for line in package.lines(package.CORE, "OperationDefinition")), *self.network_operations)

    @cached_property
    def network_operations(self) -> tuple[dict[str, Any], ...]:
        """The OperationDefinitions that the network has made."""
        return tuple(decode(data) for data in package.files(package.NETWORK, "OperationDefinition-*.json"))

    @cached_property
    def networks(self) -> tuple[dict[str, Any], ...]:
        """The network's own resources except SearchParameters, such as its CapabilityStatement of requirements."""
        read = (decode(data) for data in package.files(package.NETWORK, "*.json"))
        return tuple(each for each in read if each["resourceType"] != "SearchParameter")


def _members(compartment: dict[str, Any]) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({each["code"]: tuple(each["param"]) for each in compartment["resource"] if each.get("param")})


@cache
def r4() -> Definitions:
    """Give the definitions of FHIR R4 4.0.1 with those of the network, one for the process."""
    return Definitions()
