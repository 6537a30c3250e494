"""SMART scopes: a strict grammar, what a registration leaves of them, and what each means for one resource.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
https://hl7.org/fhir/smart-app-launch/1.0.0/scopes-and-launch-context/ (v1: .read, .write, .*)

What is not understood is refused, never read generously (S36): another order or case of letters, unknown types, v1 beside
v2, patient/ beside user/, modifiers, chains and result parameters in granular scopes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final, NoReturn
from urllib.parse import parse_qsl, quote

from fhir_server.search.conditions import Conditions
from fhir_server.search.expression import And, Expression, Has, Or
from fhir_server.search.limits import Limits
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.asked import Asked, Refused

OTHERS: Final = frozenset(
    {"openid", "fhirUser", "profile", "launch", "launch/patient", "launch/encounter", "offline_access", "online_access"}
)
"""Scopes that name no resources."""

CONTEXTS: Final = ("patient", "user", "system")
LETTERS: Final = "cruds"
_V1: Final = {"read": "rs", "write": "cud", "*": "cruds"}
_MOST: Final = 200
_LONGEST: Final = 8000
_MOST_PARAMETERS: Final = 8
_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, appendix A.4
_RESOURCE: Final = re.compile(r"(patient|user|system)/([A-Z][A-Za-z]{1,63}|\*)\.([a-z*]{1,5})(?:\?(.*))?")
_CODE: Final = re.compile(r"_?[a-z][a-z0-9\-]*")
_NOT_GRANULAR: Final = frozenset({"_text", "_content", "near", "_lastUpdated"})


class ScopeError(Exception):
    """A scope is not understood, or cannot be combined so; the text names the scope and says why, for the client's developer."""


@dataclass(frozen=True, slots=True)
class ResourceScope:
    """One scope for resources: `type` may be `*`; `letters` are of `cruds`, in this order; `parameters` make it granular."""

    context: str
    type: str
    letters: str
    parameters: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        query = "&".join(f"{name}={quote(value, safe=':/|,.-_$')}" for name, value in self.parameters)
        return f"{self.context}/{self.type}.{self.letters}{'?' + query if query else ''}"


@dataclass(frozen=True, slots=True)
class Scopes:
    """What was asked for or granted. `version` is 1 where the scopes for resources are written in the way of SMART v1."""

    resources: tuple[ResourceScope, ...] = ()
    others: frozenset[str] = frozenset()
    version: int = 2

    @property
    def contexts(self) -> frozenset[str]:
        """The contexts of the scopes for resources."""
        return frozenset(each.context for each in self.resources)

    def __str__(self) -> str:
        if self.version == 1 and all(each.letters in _V1.values() for each in self.resources):
            spelling = {letters: word for word, letters in _V1.items()}
            written = [f"{each.context}/{each.type}.{spelling[each.letters]}" for each in self.resources]
        else:
            written = [str(each) for each in self.resources]
        return " ".join([*sorted(self.others), *written])


class ScopeGrammar:
    """Reads scopes as the types and search parameters of this server make sense of them."""

    def __init__(self, parameters: Parameters, zone: tzinfo) -> None:
        self._parameters = parameters
        self._asked = Asked(zone, 0, parameters.base)

    @property
    def types(self) -> frozenset[str]:
        """The types that a scope may name."""
        return self._parameters.types

    def parse(self, text: str, *, mixed: bool = False) -> Scopes:
        """Read the scopes of a request, or (`mixed`) of a registration, which may list patient/ and user/ side by side.

        Raises ScopeError.
        """
        if len(text) > _LONGEST:
            raise ScopeError("These are more scopes than anybody needs")
        words = text.split(" ") if text else []
        if len(words) > _MOST:
            raise ScopeError(f"More than {_MOST} scopes")
        resources: list[ResourceScope] = []
        others: set[str] = set()
        versions: set[int] = set()
        for word in words:
            if word in OTHERS:
                others.add(word)
                continue
            version, scope = self._resource(word)
            versions.add(version)
            resources.append(scope)
        _check_together(resources, versions, mixed=mixed)
        return Scopes(tuple(dict.fromkeys(resources)), frozenset(others), min(versions, default=2))

    def granted(self, requested: str, allowed: str) -> str:
        """Give what of the requested scopes the allowed ones (of a registration) cover. Raises ScopeError."""
        asked, most = self.parse(requested), self.parse(allowed, mixed=True)
        found = [common for wanted in asked.resources for limit in most.resources if (common := _common(wanted, limit)) is not None]
        kept = [each for each in dict.fromkeys(found) if not any(other != each and _covers(other, each) for other in found)]
        return str(Scopes(tuple(kept), asked.others & most.others, asked.version))

    def expression(self, scope: ResourceScope, type: str) -> Expression:
        """Say which resources of the type a granular scope is about; everything where it has no parameters."""
        conditions = Conditions(self._parameters, self._asked, Limits())
        return And(tuple(conditions.condition(type, name, value) for name, value in scope.parameters))

    def _resource(self, word: str) -> tuple[int, ResourceScope]:
        shown = word if _TOKEN.fullmatch(word) and len(word) < 200 else "?"
        found = _RESOURCE.fullmatch(word) if _TOKEN.fullmatch(word) else None
        if not word:
            raise ScopeError("Scopes are separated by one space each")
        if found is None:
            raise ScopeError(f"Scope {shown} is unknown; one for resources is (patient|user|system)/(Type|*).cruds")
        context, type, letters, query = found.groups()
        if type != "*" and type not in self._parameters.types:
            raise ScopeError(f"Scope {shown} names no resource type of FHIR R4")
        version = 1 if letters in _V1 else 2
        actions = _V1.get(letters) or letters
        if actions != "".join(letter for letter in LETTERS if letter in actions):
            raise ScopeError(f"Scope {shown}: what may be done is one or more of c, r, u, d, s, each once, in this order")
        scope = ResourceScope(context, type, actions)
        if query is not None:
            if version == 1:
                raise ScopeError(f"Scope {shown}: SMART v1 scopes have no parameters")
            scope = replace(scope, parameters=self._granular(scope, query, shown))
        return version, scope

    def _granular(self, scope: ResourceScope, query: str, shown: str) -> tuple[tuple[str, str], ...]:
        if scope.type == "*" or not query:
            raise ScopeError(f"Scope {shown}: parameters are of one resource type, and at least one follows the question mark")
        try:
            pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_PARAMETERS, errors="strict")
        except (ValueError, UnicodeDecodeError):
            raise ScopeError(f"Scope {shown}: the parameters are written as name=value&name=value, at most {_MOST_PARAMETERS}") from None
        for name, value in pairs:
            self._check_parameter(scope.type, name, value, shown)
        return tuple(dict.fromkeys(pairs))

    def _check_parameter(self, type: str, name: str, value: str, shown: str) -> None:
        if not _CODE.fullmatch(name):
            raise ScopeError(f"Scope {shown}: parameters have no modifiers and no chains")
        known = self._parameters.of(type).get(name)
        if known is None or name in _NOT_GRANULAR:
            raise ScopeError(f"Scope {shown}: {type} has no search parameter {name} that a scope can use")
        if known.type not in ("token", "reference", "uri"):
            raise ScopeError(f"Scope {shown}: a scope takes parameters of type token, reference or uri")
        try:
            expression = Conditions(self._parameters, self._asked, Limits(values=20)).condition(type, name, value)
        except Refused:
            raise ScopeError(f"Scope {shown}: the value of {name} cannot be read") from None
        if not value or not _is_plain(expression):
            raise ScopeError(f"Scope {shown}: the value of {name} cannot be read")


def _is_plain(expression: Expression) -> bool:
    """Tell whether the expression can be judged by what the resource itself says."""
    match expression:
        case And(parts) | Or(parts):
            return bool(parts) and all(map(_is_plain, parts))
    return not isinstance(expression, Has) or "\0" not in expression.value


def _check_together(resources: Iterable[ResourceScope], versions: set[int], *, mixed: bool) -> None:
    if len(versions) > 1 and not mixed:
        raise ScopeError("Scopes of SMART v1 (.read, .write, .*) and of v2 (.cruds) cannot be mixed")
    contexts = {each.context for each in resources}
    if len(contexts) > 1 and not mixed:
        _refuse_contexts(contexts)


def _refuse_contexts(contexts: set[str]) -> NoReturn:
    raise ScopeError(f"Scopes of different contexts cannot be mixed: {', '.join(f'{each}/' for each in CONTEXTS if each in contexts)}")


def _common(wanted: ResourceScope, limit: ResourceScope) -> ResourceScope | None:
    """Give what both say, None where they have nothing in common."""
    letters = "".join(letter for letter in wanted.letters if letter in limit.letters)
    if wanted.context != limit.context or not letters:
        return None
    if wanted.type != limit.type and "*" not in (wanted.type, limit.type):
        return None
    type = limit.type if wanted.type == "*" else wanted.type
    return ResourceScope(wanted.context, type, letters, tuple(dict.fromkeys((*wanted.parameters, *limit.parameters))))


def _covers(one: ResourceScope, other: ResourceScope) -> bool:
    """Tell whether the first allows all that the second does."""
    return (
        one.context == other.context
        and one.type in (other.type, "*")
        and set(other.letters) <= set(one.letters)
        and set(one.parameters) <= set(other.parameters)
    )
