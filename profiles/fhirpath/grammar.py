"""The text of a FHIRPath expression as a tree.

https://hl7.org/fhirpath/N1/#operator-precedence: path steps bind tightest, then `is` and `as`, `|`, `=` and `!=`, `and`, `or`.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<root>%resource\b)|'(?P<string>[^'\\]*)'|(?P<number>\d+)|(?P<symbol>!=|[.()\[\]|=$]))"
)


class FhirPathError(ValueError):
    """The expression is not FHIRPath, speaks of an element that does not exist, or uses what is not supported."""


@dataclass(frozen=True, slots=True)
class This:
    """What the expression is evaluated on."""


@dataclass(frozen=True, slots=True)
class Root:
    """`%resource`: the whole resource."""


@dataclass(frozen=True, slots=True)
class Head:
    """The first name of a path: a type's name, or an element of what the expression is evaluated on."""

    name: str


@dataclass(frozen=True, slots=True)
class Child:
    """An element of what `base` gives."""

    base: "Tree"
    name: str


@dataclass(frozen=True, slots=True)
class OfType:
    """Only the values of a type: `as`, `.as()`, `.ofType()`."""

    base: "Tree"
    type: str


@dataclass(frozen=True, slots=True)
class Is:
    """Whether the value is of a type; on `resolve()`, whether the reference names a resource of that type."""

    base: "Tree"
    type: str


@dataclass(frozen=True, slots=True)
class Index:
    """One of all values, by its place."""

    base: "Tree"
    index: int


@dataclass(frozen=True, slots=True)
class Where:
    """The values for which the condition holds."""

    base: "Tree"
    condition: "Tree"


@dataclass(frozen=True, slots=True)
class Resolve:
    """The resource that a reference names. Nothing is fetched: only `is` may follow."""

    base: "Tree"


@dataclass(frozen=True, slots=True)
class Extension:
    """The extensions with this url."""

    base: "Tree"
    url: str


@dataclass(frozen=True, slots=True)
class Exists:
    """Whether there is any value; `expected` False for `empty()`."""

    base: "Tree"
    expected: bool


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a boolean."""

    base: "Tree"


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, a number or a boolean."""

    value: str | int | bool


@dataclass(frozen=True, slots=True)
class Equal:
    """`=`, or `!=` where `expected` is False."""

    left: "Tree"
    right: "Tree"
    expected: bool


@dataclass(frozen=True, slots=True)
class Both:
    """`and`, or `or` where `every` is False."""

    left: "Tree"
    right: "Tree"
    every: bool


@dataclass(frozen=True, slots=True)
class Union:
    """`|`."""

    parts: tuple["Tree", ...]


Tree: TypeAlias = (
    This | Root | Head | Child | OfType | Is | Index | Where | Resolve | Extension | Exists | Not | Literal | Equal | Both | Union
)


def heads(tree: Tree) -> frozenset[str]:
    """Give the names that the paths in a tree begin with."""
    match tree:
        case Head(name):
            return frozenset((name,))
        case Union(parts):
            return frozenset().union(*map(heads, parts))
        case Equal(left, right) | Both(left, right):
            return heads(left) | heads(right)
        case This() | Root() | Literal():
            return frozenset()
    return heads(tree.base)


def parse(expression: str) -> Tree:
    """Read an expression; FhirPathError where it is not in the supported part of FHIRPath."""
    return _Parser(expression).whole()


class _Parser:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = self._split(expression)
        self._at = 0

    def _split(self, expression: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at, end = 0, len(expression.rstrip())
        while at < end:
            found = _TOKEN.match(expression, at)
            if found is None or found.lastgroup is None:
                raise FhirPathError(f"{expression}: character {at + 1} is not understood")
            tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        return tokens

    def whole(self) -> Tree:
        tree = self._or()
        if self._at < len(self._tokens):
            raise self._error("ends too late")
        return tree

    def _error(self, what: str) -> FhirPathError:
        return FhirPathError(f"{self._expression}: {what} at token {self._at + 1}")

    def _take(self, kind: str, *texts: str) -> str | None:
        """Go past the next token if it is of the kind and one of the texts."""
        if self._at < len(self._tokens):
            found, text = self._tokens[self._at]
            if found == kind and (not texts or text in texts):
                self._at += 1
                return text
        return None

    def _need(self, kind: str, *texts: str) -> str:
        found = self._take(kind, *texts)
        if found is None:
            raise self._error(f"expected {' or '.join(texts) or kind}")
        return found

    def _or(self) -> Tree:
        tree = self._and()
        while self._take("name", "or"):
            tree = Both(tree, self._and(), every=False)
        return tree

    def _and(self) -> Tree:
        tree = self._equality()
        while self._take("name", "and"):
            tree = Both(tree, self._equality(), every=True)
        return tree

    def _equality(self) -> Tree:
        tree = self._union()
        while sign := self._take("symbol", "=", "!="):
            tree = Equal(tree, self._union(), expected=sign == "=")
        return tree

    def _union(self) -> Tree:
        parts = [self._typed()]
        while self._take("symbol", "|"):
            parts.append(self._typed())
        return parts[0] if len(parts) == 1 else Union(tuple(parts))

    def _typed(self) -> Tree:
        tree = self._path()
        while word := self._take("name", "is", "as"):
            type = self._type()
            tree = Is(tree, type) if word == "is" else OfType(tree, type)
        return tree

    def _type(self) -> str:
        name = self._need("name")
        return self._need("name") if name in {"FHIR", "System"} and self._take("symbol", ".") else name

    def _path(self) -> Tree:
        tree = self._term()
        while True:
            if self._take("symbol", "."):
                name = self._need("name")
                tree = self._function(tree, name) if self._take("symbol", "(") else Child(tree, name)
            elif self._take("symbol", "["):
                tree = Index(tree, int(self._need("number")))
                self._need("symbol", "]")
            else:
                return tree

    def _term(self) -> Tree:
        if self._take("symbol", "("):
            tree = self._or()
            self._need("symbol", ")")
            return tree
        if self._take("symbol", "$"):
            self._need("name", "this")
            return This()
        if self._take("root"):
            return Root()
        if (text := self._take("string")) is not None:
            return Literal(text)
        if (digits := self._take("number")) is not None:
            return Literal(int(digits))
        name = self._need("name")
        if name in {"true", "false"}:
            return Literal(name == "true")
        return self._function(This(), name) if self._take("symbol", "(") else Head(name)

    def _function(self, base: Tree, name: str) -> Tree:
        tree = self._call(base, name)
        self._need("symbol", ")")
        return tree

    def _call(self, base: Tree, name: str) -> Tree:
        match name:
            case "where":
                return Where(base, self._or())
            case "as" | "ofType":
                return OfType(base, self._type())
            case "is":
                return Is(base, self._type())
            case "resolve":
                return Resolve(base)
            case "extension":
                return Extension(base, self._need("string"))
            case "hasExtension":
                return Exists(Extension(base, self._need("string")), expected=True)
            case "exists":
                return Exists(base, expected=True)
            case "empty":
                return Exists(base, expected=False)
            case "not":
                return Not(base)
            case "first":
                return Index(base, 0)
        raise self._error(f"the function {name}() is not supported")
