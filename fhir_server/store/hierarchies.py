"""What stands above or below: codes by terminology that is stored here, places and organizations by what they are part of.

https://hl7.org/fhir/R4/search.html#token
https://hl7.org/fhir/R4/search.html#reference

Each look-up is a search of its own, permitted as one: a ValueSet that is hidden is one that does not exist.
"""

from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.expression import EQUALS, And, Coded, Expression, Has, Or, Placed, WithId
from fhir_server.search.types.asked import Refused
from fhir_server.search.types.hierarchy import decided
from fhir_server.store.failures import told
from fhir_server.store.mongo import Document, Mongo
from fhir_server.store.permit import Permit
from fhir_server.store.selection import selection
from terminology.lookup import Canonical, Lookup
from terminology.service import r4

_VALUE_SET = "ValueSet/"
_URL = {"CodeSystem": "system", "ValueSet": "url"}  # of a CodeSystem both are the same, and one is stored (search.standing)
_ROUNDS = 16  # value sets of value sets of value sets


async def coded(asked: Coded, mongo: Mongo, permit: Permit) -> Expression:
    """Give what terminology makes of the codes asked for. Raises FhirError where it cannot tell, or there are too many."""
    lookup, value_set = Lookup(r4()), None
    if asked.way == "in" and asked.value.startswith(_VALUE_SET):
        value_set = await _body(WithId((asked.value.removeprefix(_VALUE_SET),)), "ValueSet", mongo, permit)
        if value_set is None:
            raise invalid("This value set is not known here", code="not-found")
    for _ in range(_ROUNDS):
        try:
            expression = decided(asked, lookup, value_set)
        except Refused as refused:
            raise invalid(refused.diagnostics, code=refused.code) from None
        if expression is not None:
            return _bounded(expression, mongo)
        for lacking in tuple(lookup.lacking):
            lookup.give(lacking, await _by_url(lacking, mongo, permit))
    raise FhirError(Issue("too-costly", f"The value set includes others more than {_ROUNDS} deep"))


async def placed(asked: Placed, mongo: Mongo, permit: Permit) -> Expression:
    """Give the resources themselves with all that is above or below them."""
    known = dict.fromkeys(asked.references)
    for type, parent in asked.parents:
        last = [key for key in known if key.startswith(type + "/")]
        while last:
            found = await (
                _parts(last, type, parent, mongo, permit) if asked.way == "below" else _wholes(last, type, parent, mongo, permit)
            )
            last = [key for key in found if key not in known]
            known.update(dict.fromkeys(last))
            if len(known) > mongo.limits.related:
                raise FhirError(Issue("too-costly", f"More than {mongo.limits.related} resources are {asked.way} this one; ask for fewer"))
    return Or(tuple(Has(asked.parameter, key) for key in known))


def _bounded(expression: Expression, mongo: Mongo) -> Expression:
    if isinstance(expression, Or) and len(expression.parts) > mongo.limits.codes:
        raise FhirError(
            Issue("too-costly", f"More than {mongo.limits.codes} codes belong to what was asked (setting codes_limit); ask for fewer")
        )
    return expression


async def _by_url(canonical: Canonical, mongo: Mongo, permit: Permit) -> bytes | None:
    url, _, version = canonical.url.partition("|")
    asked = [Has(_URL[canonical.type], url), *([Has("version", version)] if version else [])]
    return await _body(And(tuple(asked)), canonical.type, mongo, permit)


async def _body(expression: Expression, type: str, mongo: Mongo, permit: Permit) -> bytes | None:
    """The newest resource for which the expression holds."""
    chosen = selection(permit.narrow("search-type", (type,), expression), (type,))
    with told():
        found = await mongo.resource.find_one(
            chosen.filter, {"b": 1}, sort=[("o", -1)], hint=chosen.hint, max_time_ms=mongo.limits.milliseconds
        )
    return None if found is None else bytes(found["b"])


async def _parts(keys: list[str], type: str, parent: str, mongo: Mongo, permit: Permit) -> list[str]:
    """What says that it is part of one of these."""
    return [each["_id"] for each in await _found(Or(tuple(Has(parent, key) for key in keys)), type, {"_id": 1}, mongo, permit)]


async def _wholes(keys: list[str], type: str, parent: str, mongo: Mongo, permit: Permit) -> list[str]:
    """What these say they are part of; a whole that is hidden or gone ends the way up."""
    head = f"{parent}{EQUALS}{type}/"
    own = await _found(WithId(tuple(key.partition("/")[2] for key in keys)), type, {"e": 1}, mongo, permit)
    return [entry.removeprefix(parent + EQUALS) for each in own for entry in each["e"] if entry.startswith(head)]


async def _found(expression: Expression, type: str, fields: dict[str, int], mongo: Mongo, permit: Permit) -> list[Document]:
    chosen = selection(permit.narrow("search-type", (type,), expression), (type,))
    with told():
        cursor = mongo.resource.find(
            chosen.filter, fields, limit=mongo.limits.related + 1, hint=chosen.hint, max_time_ms=mongo.limits.milliseconds
        )
        return await cursor.to_list()
