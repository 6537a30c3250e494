"""Trees of FHIRPath as closures over items: the whole language, for resources of any type.

Types are looked up while it runs, since `descendants()` or `resource` may give anything. An element that a type does not have gives
nothing, as the specification allows.
"""

from functools import lru_cache

from profiles.fhirpath import grammar, sinks, syntax
from profiles.fhirpath.context import Context, Run
from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.functions import FUNCTIONS
from profiles.fhirpath.functions.iteration import sort
from profiles.fhirpath.items import NO, NONE, YES, Item, Items, judged, made, single, truth, whole
from profiles.fhirpath.operators import OPERATORS
from profiles.fhirpath.quantity import Quantity
from profiles.fhirpath.syntax import Call, Focus, Head, Literal, OfType, Operation, Sign, Tree


@lru_cache(maxsize=2048)
def compiled(expression: str) -> Run:
    """Compile an expression; FhirPathError for bad syntax and for functions that do not exist."""
    return run_of(grammar.parse(expression))


def run_of(tree: Tree) -> Run:
    """Compile a tree."""
    match tree:
        case Focus():
            return lambda _context, focus: focus
        case syntax.Scope(name):
            return _scope(name)
        case syntax.Variable(name):
            return lambda context, _focus: context.variable(name)
        case Literal(value):
            constant = made(value)
            return lambda _context, _focus: constant
        case syntax.Nothing():
            return lambda _context, _focus: NONE
        case Head(name):
            return _head(name)
        case syntax.Child(base, name):
            return _child(run_of(base), name)
        case syntax.Indexer(base, index):
            return _indexer(run_of(base), run_of(index))
        case Sign(base):
            return _negative(run_of(base))
        case Operation("and" | "or" | "xor" | "implies" as operator, left, right):
            return _logic(operator, run_of(left), run_of(right))
        case Operation(operator, left, right):
            return _operation(operator, run_of(left), run_of(right))
        case OfType(Call(base, "resolve", ()), "is", type):
            return _refers(run_of(base), type)
        case OfType(base, "is", type):
            return _is(run_of(base), type)
        case OfType(base, _, type):
            return _of_type(run_of(base), type)
        case Call(base, "sort", keys):
            return _sorted(run_of(base), keys)
        case Call(base, name, arguments):
            return _call(run_of(base), name, [run_of(each) for each in arguments])
    raise FhirPathError("the expression is not understood")


def _scope(name: str) -> Run:
    match name:
        case "this":
            return lambda context, _focus: context.this
        case "index":
            return lambda context, _focus: made(context.position)
    return lambda context, _focus: context.total


def _head(name: str) -> Run:
    """A path's first name: a type where the input is of it, else an element."""
    names_a_type = name[:1].isupper()

    def run(context: Context, focus: Items) -> Items:
        found: list[Item] = []
        child = context.navigation.child
        for item in focus:
            if names_a_type and context.navigation.is_a(item, name):
                found.append(item)
            else:
                child(item, name, found)
        return found

    return run


def _child(base: Run, name: str) -> Run:
    def run(context: Context, focus: Items) -> Items:
        found: list[Item] = []
        child = context.navigation.child
        items = base(context, focus)
        context.steps -= len(items)
        for item in items:
            child(item, name, found)
        return found

    return run


def _indexer(base: Run, index: Run) -> Run:
    def run(context: Context, focus: Items) -> Items:
        items, place = base(context, focus), whole(index(context, context.this), "an index")
        return NONE if place is None or place < 0 else items[place : place + 1]

    return run


def _negative(base: Run) -> Run:
    def run(context: Context, focus: Items) -> Items:
        value = single(base(context, focus))
        if isinstance(value, Quantity):
            return made(Quantity(-value.value, value.unit, value.calendar, value.word))
        if value is not None and (isinstance(value, bool | str | dict) or not hasattr(value, "__neg__")):
            raise FhirPathError("only numbers can be negative")
        return NONE if value is None else made(-value)

    return run


def _logic(operator: str, left: Run, right: Run) -> Run:
    """`and`, `or`, `xor`, `implies` with empty as the third value; the right side counts only where the left leaves it open."""

    def run(context: Context, focus: Items) -> Items:
        one = judged(left(context, focus))
        if operator == "and" and one is False:
            return NO
        if (operator == "or" and one) or (operator == "implies" and one is False):
            return YES
        other = judged(right(context, focus))
        match operator:
            case "and":
                return NO if other is False else truth(one and other)
            case "or":
                return YES if other else NONE if one is None or other is None else NO
            case "xor":
                return NONE if one is None or other is None else truth(one != other)
        return YES if other else NONE if one is None or other is None else NO

    return run


def _operation(operator: str, left: Run, right: Run) -> Run:
    call = OPERATORS[operator]
    return lambda context, focus: call(context, left(context, focus), right(context, focus))


def _is(base: Run, type: str) -> Run:
    def run(context: Context, focus: Items) -> Items:
        items = base(context, focus)
        wanted = context.navigation.known(type)
        if len(items) > 1:
            raise FhirPathError("`is` takes one value, not several")
        return truth(context.navigation.is_a(items[0], wanted)) if items else NONE

    return run


def _refers(base: Run, type: str) -> Run:
    """`resolve() is Patient` asks the reference alone: what it names need not be at hand."""

    def run(context: Context, focus: Items) -> Items:
        wanted = context.navigation.known(type).rpartition(".")[2]
        items = base(context, focus)
        return truth(any(sinks.refers(value, wanted, context.resource[1]) for _, value, _ in items)) if items else NONE

    return run


def _of_type(base: Run, type: str) -> Run:
    def run(context: Context, focus: Items) -> Items:
        wanted = context.navigation.known(type)
        return [item for item in base(context, focus) if context.navigation.is_a(item, wanted, exact=True)]

    return run


def _sorted(base: Run, keys: tuple[Tree, ...]) -> Run:
    runs = [(run_of(key.base), True) if isinstance(key, Sign) else (run_of(key), False) for key in keys or (syntax.Scope("this"),)]
    return lambda context, focus: sort(context, base(context, focus), runs)


def _call(base: Run, name: str, arguments: list[Run]) -> Run:
    function = FUNCTIONS.get(name)
    if function is None:
        raise FhirPathError(f"there is no function {name}()" if name.isascii() and len(name) < 50 else "there is no such function")
    if not function.least <= len(arguments) <= function.most:
        raise FhirPathError(f"{name}() is given {len(arguments)} arguments")
    call = function.call
    if not arguments:
        return lambda context, focus: call(context, base(context, focus))
    if function.lazy:
        return lambda context, focus: call(context, base(context, focus), *arguments)

    def run(context: Context, focus: Items) -> Items:
        items = base(context, focus)
        return call(context, items, *[argument(context, context.this) for argument in arguments])

    return run
