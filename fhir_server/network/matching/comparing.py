"""Patients as they are stored, read for comparison with the insurance that their Coverages tell, and who is worth comparing with them.

All of it is asked of a repository: that of the network, or that of whoever asks, so that nothing is compared that he may not see.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from fhir_server.exchange import Resource
from fhir_server.identity.blocking import coverages, expressions
from fhir_server.identity.demographics import Demographics, demographics
from fhir_server.identity.score import Comparison, compare
from fhir_server.network.matching.persons import key
from fhir_server.search.expression import NOTHING, And, Expression, ForPatient, OfType, Or
from fhir_server.search.query import Query
from fhir_server.store.repository import Repository
from profiles import json

_MOST_OF_A_WAY: Final = 200
_AT_ONCE: Final = 50
_MOST_COVERAGES: Final = 500


@dataclass(frozen=True, slots=True)
class Known:
    """A Patient, and what is known of who she is."""

    resource: Resource
    who: Demographics

    @property
    def reference(self) -> str:
        """The reference of the Patient."""
        return key(self.resource)


async def known(repository: Repository, patients: Sequence[Resource]) -> list[Known]:
    """Read the Patients with as much of their insurance as the repository shows."""
    insured: dict[str, list[Resource]] = {}
    for start in range(0, len(patients), _AT_ONCE):
        some = [ForPatient(key(each)) for each in patients[start : start + _AT_ONCE]]
        for coverage in await _found(repository, "Coverage", Or(tuple(some)), _MOST_COVERAGES):
            insured.setdefault(_beneficiary(coverage), []).append(coverage)
    return [Known(each, demographics(each, insured.get(key(each), ()))) for each in patients]


async def near(repository: Repository, who: Demographics, zone: tzinfo) -> list[Known]:
    """Give the Patients who may be this one, of those that the repository shows: by birth date, name, telephone, insurance."""
    ways: list[Expression] = list(expressions(who, zone))
    insurance = coverages(who)
    insured = await _found(repository, "Coverage", insurance, _MOST_COVERAGES) if insurance is not None else []
    finding = [_found(repository, "Patient", each, _MOST_OF_A_WAY) for each in ways]
    found = {key(each): each for some in await asyncio.gather(*finding) for each in some}
    more = dict.fromkeys(
        reference for each in insured if (reference := _beneficiary(each)).startswith("Patient/") and reference not in found
    )
    several = await repository.get_several(list(more)) if more else []
    found |= {each.reference: json.decode(each.body) for each in several if each.body is not None}
    return await known(repository, [found[reference] for reference in sorted(found)])


def tells_enough(who: Demographics, zone: tzinfo) -> bool:
    """Tell whether there is any way to look for this Patient."""
    return bool(expressions(who, zone)) or coverages(who) is not None


async def _found(repository: Repository, type: str, expression: Expression, count: int) -> list[Resource]:
    if repository.permit.covers("search-type", type) == NOTHING:
        return []
    page = await repository.find(Query(type, And((OfType((type,)), expression)), count=count))
    return [json.decode(each.body) for each in page.versions if each.body is not None]


def _beneficiary(coverage: Resource) -> str:
    return str((coverage.get("beneficiary") or {}).get("reference"))


def compared(one: Known, other: Known, *, listed: bool = False) -> Comparison:
    """Compare two Patients; `listed` tells that one consent form names both of them."""
    return compare(one.who, other.who, listed=listed)


def warnings(comparisons: Iterable[Comparison]) -> list[str]:
    """Give in Japanese and English what speaks against matches, each once, without any patient's data."""
    return list(dict.fromkeys(f"{guard.ja} / {guard.en}" for comparison in comparisons for guard in comparison.guards))
