"""Functions of whole collections: existence, subsetting, combining, and the tree below them.

https://hl7.org/fhirpath/N1/#existence, #subsetting, #combining, #tree-navigation
"""

from profiles.fhirpath.context import Context
from profiles.fhirpath.equality import same
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.functions.function import Function
from profiles.fhirpath.items import NONE, Item, Items, distinct, judged, number, truth, whole


def unite(context: Context, items: Items, other: Items) -> Items:
    """`|` and union(): both without what is there twice."""
    if not other and len(items) < 2:
        return items
    context.spend(len(items) + len(other))
    return distinct((*items, *other), same, context.spend)


def has(context: Context, items: Items, item: Item) -> bool:
    """Tell whether an item equals one of the items."""
    context.spend(len(items))
    return any(same(each, item) for each in items)


def _not(_context: Context, items: Items) -> Items:
    value = judged(items)
    return truth(None if value is None else not value)


def _booleans(items: Items) -> list[bool]:
    values = [value for _, value, _ in items]
    if not all(isinstance(value, bool) for value in values):
        raise FhirPathError("allTrue() and its like take booleans only")
    return values


def _single(_context: Context, items: Items) -> Items:
    if len(items) > 1:
        raise FhirPathError("single() is given several values")
    return items


def _skip(_context: Context, items: Items, count: Items) -> Items:
    first = whole(count)
    return NONE if first is None else items[max(first, 0) :]


def _take(_context: Context, items: Items, count: Items) -> Items:
    first = whole(count)
    return NONE if first is None else items[: max(first, 0)]


def _is_distinct(context: Context, items: Items) -> Items:
    return truth(len(_distinct(context, items)) == len(items))


def _distinct(context: Context, items: Items) -> Items:
    context.spend(len(items))
    return distinct(items, same, context.spend)


def _intersect(context: Context, items: Items, other: Items) -> Items:
    return distinct([item for item in items if has(context, other, item)], same, context.spend)


def _exclude(context: Context, items: Items, other: Items) -> Items:
    return [item for item in items if not has(context, other, item)]


def _subset_of(context: Context, items: Items, other: Items) -> Items:
    return truth(all(has(context, other, item) for item in items))


def _superset_of(context: Context, items: Items, other: Items) -> Items:
    return truth(all(has(context, items, item) for item in other))


def _combine(context: Context, items: Items, other: Items) -> Items:
    context.spend(len(items) + len(other))
    return (*items, *other)


def _children(context: Context, items: Items) -> Items:
    found = [child for item in items for child in context.navigation.children(item)]
    context.spend(len(found))
    return found


def descendants(context: Context, items: Items) -> Items:
    """Give everything below the items, level by level."""
    found: list[Item] = []
    level = _children(context, items)
    while level:
        found += level
        level = _children(context, level)
    return found


FUNCTIONS = {
    "empty": Function(lambda _context, items: truth(not items)),
    "not": Function(_not),
    "count": Function(lambda _context, items: number(len(items))),
    "allTrue": Function(lambda _context, items: truth(all(_booleans(items)))),
    "anyTrue": Function(lambda _context, items: truth(any(_booleans(items)))),
    "allFalse": Function(lambda _context, items: truth(not any(_booleans(items)))),
    "anyFalse": Function(lambda _context, items: truth(not all(_booleans(items)))),
    "subsetOf": Function(_subset_of, 1, 1),
    "supersetOf": Function(_superset_of, 1, 1),
    "distinct": Function(_distinct),
    "isDistinct": Function(_is_distinct),
    "single": Function(_single),
    "first": Function(lambda _context, items: items[:1]),
    "last": Function(lambda _context, items: items[-1:]),
    "tail": Function(lambda _context, items: items[1:]),
    "skip": Function(_skip, 1, 1),
    "take": Function(_take, 1, 1),
    "intersect": Function(_intersect, 1, 1),
    "exclude": Function(_exclude, 1, 1),
    "union": Function(unite, 1, 1),
    "combine": Function(_combine, 1, 1),
    "children": Function(_children),
    "descendants": Function(descendants),
}
