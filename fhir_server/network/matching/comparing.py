"""Two Patients compared, and the ways to find whom to compare with: `fhir_server.identity` for resources as they are stored."""

from typing import Final

from fhir_server.exchange import Resource
from fhir_server.identity import blocking as keys
from fhir_server.identity.demographics import demographics
from fhir_server.identity.score import Comparison, compare
from fhir_server.search.expression import Expression

CERTAIN: Final = "certain"
CERTAINLY_NOT: Final = "certainly-not"


def compared(one: Resource, other: Resource, *, listed: bool = False) -> Comparison:
    """Compare two Patients; `listed` tells that one consent form names both of them."""
    return compare(demographics(one), demographics(other), listed=listed)


def blocking(patient: Resource) -> list[Expression]:
    """Give the searches that find who may be the same person; none where the Patient tells too little."""
    return list(keys.expressions(demographics(patient)))


def warnings(comparison: Comparison) -> list[str]:
    """Give in Japanese and English what speaks against a match, without any patient's data."""
    return [guard.text for guard in comparison.guards]
