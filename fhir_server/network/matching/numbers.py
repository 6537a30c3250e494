"""地域患者ID: 10 digits, unique, never given twice (NETWORK.md F089).

A counter in the database gives each number once, also where what wanted it was not stored in the end. Numbers that were brought along from
elsewhere are stepped over.
"""

from typing import Final

import msgspec

from fhir_server.network.desk import Desk
from fhir_server.network.matching.persons import REGIONAL_ID
from fhir_server.outcome import FhirError, Issue
from fhir_server.search.expression import Has
from fhir_server.store.records import Kind

DIGITS: Final = 10
_COUNTER: Final = "regional-patient-id"
_MOST_STEPS: Final = 10_000


class Counter(msgspec.Struct, frozen=True):
    """The last number that was given."""

    id: str
    last: int


COUNTERS: Final = Kind("counters", Counter)


def valid(number: str) -> bool:
    """Tell whether this has the form of a 地域患者ID."""
    return len(number) == DIGITS and number.isascii() and number.isdigit()


async def new_number(desk: Desk) -> str:
    """Give a number that nobody has or had. Raises FhirError (422) where the prefix has none left."""
    prefix = desk.terms.regional_id_prefix
    counters = desk.shelf.records(COUNTERS)
    id = f"{_COUNTER}-{prefix}"
    for _ in range(_MOST_STEPS):
        last = await counters.count_up(id, "last")
        if last is None:
            await counters.add(Counter(id, desk.terms.regional_id_start - 1))
            continue
        number = f"{prefix}{last:0{DIGITS - len(prefix)}d}"
        if not valid(number):
            raise FhirError(
                Issue("processing", "All numbers of this prefix are given: choose another TSUNAGI_REGIONAL_ID_PREFIX", ("Patient",))
            )
        if not await desk.find("Patient", Has("identifier", f"{REGIONAL_ID}|{number}"), 1):
            return number
    raise FhirError(Issue("transient", "Too many numbers in a row are taken already; try again", ("Patient",)))
