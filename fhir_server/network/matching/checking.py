"""What has to be forced, and what is only said, before two people become one (L32).

By rule a person has one Patient at each facility, and who was found to be somebody else stays so: both need `force` with a reason, for charts
that a facility made twice and for mistakes. What the comparison of the two warns of (twins, placeholders) is told to whoever decides.
"""

from collections.abc import Sequence
from itertools import product

from fhir_server.exchange import Resource
from fhir_server.network.desk import Desk
from fhir_server.network.matching.comparing import Known, compared, known, warnings
from fhir_server.network.matching.persons import Person, custodian
from fhir_server.outcome import FhirError, Issue

_FORCE = "give force=true with the reason, if it is so / 理由を添えて force=true で確定できます"
_SAME_FACILITY = f"Two Patients of one facility (同一施設に2件の患者登録): {_FORCE}"
_REJECTED = f"These were found not to be one person (別人と判断済み): {_FORCE}"


async def check(desk: Desk, one: Person, other: Person, *, rejected: bool, force: bool) -> Sequence[Issue]:
    """Give what speaks against it as warnings. Raises FhirError (422) for what has to be forced and is not."""
    doubts = [_SAME_FACILITY] if shares_facility(one.members, other.members) else []
    doubts += [_REJECTED] if rejected else []
    if doubts and not force:
        raise FhirError(*(Issue("business-rule", text, ("Patient.link",)) for text in doubts))
    warned = warnings(compared(*pair) for pair in await pairs_of(desk, one, other))
    return [Issue("business-rule", text, ("Patient.link",), severity="warning") for text in (*doubts, *warned)]


async def pairs_of(desk: Desk, one: Person, other: Person) -> list[tuple[Known, Known]]:
    """Give every pair that becomes one person, ready to be compared."""
    mine, theirs = await known(desk.everything, one.members), await known(desk.everything, other.members)
    return list(product(mine, theirs))


def shares_facility(some: Sequence[Resource], others: Sequence[Resource]) -> bool:
    """Tell whether any two of them are in the custody of one facility."""
    facilities = {facility for each in some if (facility := custodian(each)) is not None}
    return any(custodian(each) in facilities for each in others)
