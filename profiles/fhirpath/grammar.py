"""The text of a FHIRPath expression as a tree.

https://hl7.org/fhirpath/N1/#operator-precedence, https://hl7.org/fhirpath/N1/grammar.html
"""

from functools import lru_cache
from typing import Any

from profiles.fhirpath.error import FhirPathError
from profiles.fhirpath.quantity import CALENDAR, Quantity
from profiles.fhirpath.syntax import (
    Call,
    Child,
    Focus,
    Head,
    Indexer,
    Literal,
    Nothing,
    OfType,
    Operation,
    Scope,
    Sign,
    Tree,
    Variable,
    parts,
)
from profiles.fhirpath.tokens import Token, split

MAX_NESTING = 40
"""Parentheses, arguments and indexes inside each other. The official invariants have 7."""
MAX_DEPTH = 120
"""Steps and operators that wait for each other."""

_PRECEDENCE = {
    "*": 11, "/": 11, "div": 11, "mod": 11, "+": 10, "-": 10, "&": 10, "is": 9, "as": 9, "|": 8, "<=": 7, "<": 7, ">": 7, ">=": 7,
    "=": 6, "~": 6, "!=": 6, "!~": 6, "in": 5, "contains": 5, "and": 4, "or": 3, "xor": 3, "implies": 2,
}  # fmt: skip
_NOT_A_HEAD = frozenset(("div", "mod", "and", "or", "xor", "implies"))
_OF_A_TYPE = frozenset(("is", "as", "ofType"))


@lru_cache(maxsize=1024)
def parse(expression: str) -> Tree:
    """Read an expression; FhirPathError says at which character it is not FHIRPath."""
    parser = _Parser(split(expression))
    try:
        tree = parser.whole()
    except RecursionError as error:
        raise FhirPathError("the expression is nested too deep") from error
    _check_depth(tree)
    return tree


def _check_depth(tree: Tree) -> None:
    waiting = [(tree, 1)]
    while waiting:
        each, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise FhirPathError(f"the expression is deeper than {MAX_DEPTH} steps")
        waiting += [(part, depth + 1) for part in parts(each)]


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._nesting = 0

    def whole(self) -> Tree:
        tree = self._expression()
        if self._tokens[self._next].kind != "end":
            raise self._error("an operator or the end")
        return tree

    def _error(self, expected: str) -> FhirPathError:
        return FhirPathError(f"expected {expected} at character {self._tokens[self._next].at + 1}")

    def _take(self, kind: str, *texts: str) -> Any:
        """Go past the next token if it is of the kind and one of the texts, and give its text or value; None where it is not."""
        token = self._tokens[self._next]
        if token.kind != kind or (texts and token.value not in texts):
            return None
        self._next += 1
        return token.value

    def _symbol(self, text: str) -> bool:
        return self._take("symbol", text) is not None

    def _need(self, symbol: str) -> None:
        if not self._symbol(symbol):
            raise self._error(f"'{symbol}'")

    def _name(self, expected: str = "a name") -> str:
        for kind in ("name", "quoted"):
            if (name := self._take(kind)) is not None:
                return str(name)
        raise self._error(expected)

    def _expression(self, weakest: int = 0) -> Tree:
        """Read operators that bind at least so strongly."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise FhirPathError(f"the expression is nested deeper than {MAX_NESTING} levels")
        tree = self._signed()
        while (binds := self._operator()) >= max(weakest, 1):
            operator = self._tokens[self._next].value
            self._next += 1
            if operator in {"is", "as"}:
                tree = OfType(tree, operator, self._type())
            else:
                tree = Operation(operator, tree, self._expression(binds + 1))
        self._nesting -= 1
        return tree

    def _operator(self) -> int:
        token = self._tokens[self._next]
        return _PRECEDENCE.get(token.value, 0) if token.kind in {"symbol", "name"} else 0

    def _signed(self) -> Tree:
        negative = False
        while (sign := self._take("symbol", "-", "+")) is not None:
            negative = negative != (sign == "-")
        tree = self._path()
        return Sign(tree) if negative else tree

    def _type(self) -> str:
        name = self._name("a type")
        while self._symbol("."):
            name += "." + self._name("a type")
        return name

    def _path(self) -> Tree:
        tree = self._term()
        while True:
            if self._symbol("."):
                tree = self._invocation(tree)
            elif self._symbol("["):
                tree = Indexer(tree, self._expression())
                self._need("]")
            else:
                return tree

    def _invocation(self, base: Tree) -> Tree:
        if (scope := self._take("dollar")) is not None:
            raise self._error(f"a name in place of ${scope}")
        name = self._name()
        return self._call(base, name) if self._symbol("(") else Child(base, name)

    def _call(self, base: Tree, name: str) -> Tree:
        tree: Tree
        if name in _OF_A_TYPE:
            tree = OfType(base, name, self._type())
        else:
            tree = Call(base, name, self._arguments())
        self._need(")")
        return tree

    def _arguments(self) -> tuple[Tree, ...]:
        if self._tokens[self._next][:2] == ("symbol", ")"):
            return ()
        arguments = [self._expression()]
        while self._symbol(","):
            arguments.append(self._expression())
        return tuple(arguments)

    def _term(self) -> Tree:
        token = self._tokens[self._next]
        self._next += 1
        match token.kind, token.value:
            case "symbol", "(":
                tree = self._expression()
                self._need(")")
                return tree
            case "symbol", "{":
                self._need("}")
                return Nothing()
            case "literal", int() | float():
                return self._quantity(token.value)
            case "literal", value:
                return self._quantity(value) if not hasattr(value, "kind") else Literal(value)
            case "string", text:
                return Literal(text)
            case "dollar", name:
                return Scope(name)
            case "variable", name:
                return Variable(name)
            case "name", "true" | "false":
                return Literal(token.value == "true")
            case "name" | "quoted", name if token.kind == "quoted" or name not in _NOT_A_HEAD:
                return self._call(Focus(), name) if self._symbol("(") else Head(name)
        self._next -= 1
        raise self._error("a path or a value")

    def _quantity(self, number: Any) -> Tree:
        if (unit := self._take("string")) is not None:
            return Literal(Quantity.of(number, unit))
        if (word := self._take("name", *CALENDAR)) is not None:
            return Literal(Quantity.of(number, word, calendar=True))
        return Literal(number)
