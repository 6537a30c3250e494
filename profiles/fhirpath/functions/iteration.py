"""Functions that evaluate an expression for each item: where, select, all, exists, repeat, aggregate, iif, trace, sort.

https://hl7.org/fhirpath/N1/#filtering-and-projection
"""

from functools import cmp_to_key

from profiles.fhirpath import equality
from profiles.fhirpath.context import Context, Run
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.functions.function import Function
from profiles.fhirpath.items import NO, NONE, YES, Item, Items, distinct, judged, single, truth


def each(context: Context, items: Items, run: Run) -> list[Items]:
    """Evaluate an expression for each item as `$this`, its place as `$index`."""
    this, position = context.this, context.position
    context.spend(len(items))
    results: list[Items] = []
    for index, item in enumerate(items):
        context.this = one = (item,)
        context.position = index
        results.append(run(context, one))
    context.this, context.position = this, position
    return results


def where(context: Context, items: Items, condition: Run) -> Items:
    """Give the items for which the condition holds."""
    return [item for item, result in zip(items, each(context, items, condition), strict=True) if result and judged(result)]


def _select(context: Context, items: Items, projection: Run) -> Items:
    return [found for result in each(context, items, projection) for found in result]


def _exists(context: Context, items: Items, condition: Run | None = None) -> Items:
    return YES if items and (condition is None or where(context, items, condition)) else NO


def _all(context: Context, items: Items, condition: Run) -> Items:
    return truth(all(judged(result) for result in each(context, items, condition)))


def _repeat(context: Context, items: Items, projection: Run) -> Items:
    found: list[Item] = []
    level = items
    while level:
        context.spend(len(found))
        before = len(found)
        found = distinct([*found, *_select(context, level, projection)], equality.same, context.spend)
        level = found[before:]
    return found


def _aggregate(context: Context, items: Items, step: Run, start: Run | None = None) -> Items:
    this, position, total = context.this, context.position, context.total
    current = start(context, this) if start is not None else NONE
    context.spend(len(items))
    for index, item in enumerate(items):
        context.this = one = (item,)
        context.position, context.total = index, current
        current = step(context, one)
    context.this, context.position, context.total = this, position, total
    return current


def _iif(context: Context, items: Items, condition: Run, then: Run, otherwise: Run | None = None) -> Items:
    if len(items) > 1:
        raise FhirPathError("iif() takes one value, not several")
    this = context.this
    context.this = items or this
    criterion = condition(context, items)
    if len(criterion) > 1 or (criterion and not isinstance(single(criterion), bool | None)):
        raise FhirPathError("the condition of iif() has to be a boolean")
    chosen = then if judged(criterion) else otherwise
    result = chosen(context, items) if chosen is not None else NONE
    context.this = this
    return result


def _trace(_context: Context, items: Items, _name: Run, _projection: Run | None = None) -> Items:
    """Nothing is written: what flows here is a patient's."""
    return items


def sort(context: Context, items: Items, keys: list[tuple[Run, bool]]) -> Items:
    """Put items in the order of the keys, each with whether it descends; without one, of the values."""
    ranks = [[single(result, "a key of sort()") for result in each(context, items, run)] for run, _ in keys]

    def compare(left: int, right: int) -> int:
        for (_, down), rank in zip(keys, ranks, strict=True):
            one, other = rank[left], rank[right]
            order = (one is not None) - (other is not None) if one is None or other is None else equality.order(one, other)
            if order:
                return -order if down else order
        return 0

    return [items[index] for index in sorted(range(len(items)), key=cmp_to_key(compare))]


FUNCTIONS = {
    "where": Function(where, 1, 1, lazy=True),
    "select": Function(_select, 1, 1, lazy=True),
    "exists": Function(_exists, 0, 1, lazy=True),
    "all": Function(_all, 1, 1, lazy=True),
    "repeat": Function(_repeat, 1, 1, lazy=True),
    "aggregate": Function(_aggregate, 1, 2, lazy=True),
    "iif": Function(_iif, 2, 3, lazy=True),
    "trace": Function(_trace, 1, 2, lazy=True),
}
