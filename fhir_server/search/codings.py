"""Every coding, every reference and every author in a resource, wherever it stands: what the rules of a consent may ask for.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.code

Search parameters know some places only. What none of them holds is stored as words `_coding=system|code`, `_refers=Type/id` and
`_author=Type/id`, so that a rule finds it wherever a sender has put it. `meta` and the narrative are no content, and are left out.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, NamedTuple

from fhir_server.exchange import Resource
from fhir_server.search.expression import EQUALS
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.reference import literal

CODING: Final = "_coding"
REFERS: Final = "_refers"
AUTHOR: Final = "_author"

AUTHORING: Final = frozenset(
    {
        "agent", "assessor", "asserter", "attester", "author", "collector", "consentor", "enterer", "interpreter", "operator", "performer",
        "performer-actor", "prescriber", "provider", "recorder", "reporter", "requester", "requestor", "results-interpreter", "sender", "source",
    }
)  # fmt: skip
"""The reference parameters that name who made a resource, or answers for it."""

_AUTHORED_IN = frozenset(
    {
        "agent", "asserter", "assessor", "attester", "author", "collection", "contributor", "enterer", "expressedBy", "informationSource",
        "interpreter", "operator", "orderer", "performer", "prescriber", "provider", "recorder", "reporter", "requester", "requestor",
        "resultsInterpreter", "sender", "source",
    }
)  # fmt: skip
"""The elements that do so, those that no parameter looks into among them (Condition.recorder, CarePlan.author)."""

_NO_CONTENT = frozenset({"meta", "text", "resourceType", "id", "implicitRules", "language"})


class Mentions(NamedTuple):
    """What a resource mentions, each once: codings as "system|code", references as `literal` gives them ("Type/id").

    `authors` are those of the references that say who made it.
    """

    codings: tuple[str, ...]
    references: tuple[str, ...]
    authors: tuple[str, ...] = ()


def mentions(resource: Resource, base: str = "") -> Mentions:
    """Gather every Coding that has a system, and every literal reference, contained resources included.

    `base` is this server's own address. References into the resource itself (#...) and by urn are left out.
    """
    codings: list[str] = []
    references: list[str] = []
    authors: list[str] = []
    for name, value in resource.items():
        if type(value) in _COMPLEX and name not in _NO_CONTENT:
            before = len(references)
            _gather([value], codings, references)
            if name in _AUTHORED_IN:
                authors += references[before:]
    return Mentions(tuple(dict.fromkeys(codings)), _literals(references, base), _literals(authors, base))


def _gather(waiting: list[Any], codings: list[str], references: list[str]) -> None:
    """Add the codings and the references in these values."""
    for node in waiting:  # which grows while it is walked
        if type(node) is list:
            for value in node:  # a comprehension takes half as long again: the lists are short
                if type(value) in _COMPLEX:
                    waiting.append(value)  # noqa: PERF401
            continue
        if "reference" in node:
            if type(reference := node["reference"]) is str:
                references.append(reference)
        elif "code" in node and "system" in node and "value" not in node and "unit" not in node:  # a Quantity has one of these
            system, code = node["system"], node["code"]
            if type(system) is str and type(code) is str:
                codings.append(f"{system}|{code}")
        for value in node.values():
            if type(value) in _COMPLEX:
                waiting.append(value)  # noqa: PERF401


def _literals(references: list[str], base: str) -> tuple[str, ...]:
    found = [literal(each, base).partition("#")[0] for each in references if not each.startswith(("#", "urn:"))]
    return tuple(dict.fromkeys(found))


_COMPLEX = frozenset({dict, list})


def codings(resource: Resource) -> tuple[str, ...]:
    """Give "system|code" of every Coding in the instance."""
    return mentions(resource).codings


def subjects(resource: Resource, base: str = "") -> tuple[str, ...]:
    """Give every patient ("Patient/id") that the instance tells of: a Patient of itself, and not of those it is linked with."""
    if resource["resourceType"] != "Patient":
        return patients(mentions(resource, base))
    own = f"Patient/{resource['id']}" if "id" in resource else ""
    others = patients(mentions({name: value for name, value in resource.items() if name != "link"}, base))
    return (*([own] if own else []), *(each for each in others if each != own))


def patients(mentioned: Mentions) -> tuple[str, ...]:
    """Give those of the references that name a patient."""
    return tuple(each for each in mentioned.references if each.startswith("Patient/"))


def words(mentioned: Mentions, entries: Iterable[str], parameters: Parameters, type: str) -> tuple[str, ...]:
    """Give the words of what a resource of the type mentions and none of its entries holds."""
    tokens, refers = holding(parameters, type)
    held: dict[str, set[str]] = {CODING: set(), REFERS: set(), AUTHOR: set()}
    for entry in entries:
        code, _, value = entry.partition(EQUALS)
        if code in tokens:
            held[CODING].add(value)
        elif code in refers:
            held[REFERS].add(value)
            if code in AUTHORING:
                held[AUTHOR].add(value)
    kinds = ((CODING, mentioned.codings), (REFERS, mentioned.references), (AUTHOR, mentioned.authors))
    return tuple(f"{kind}={each}" for kind, values in kinds for each in values if each not in held[kind])


@lru_cache(maxsize=512)
def holding(parameters: Parameters, type: str) -> tuple[frozenset[str], frozenset[str]]:
    """Give the codes of the type's parameters whose entries hold codings, and of those whose entries hold references."""
    known = [each for each in parameters.of(type).values() if not each.stands_for and each.code[0] != "_"]
    tokens = frozenset(each.code for each in known if each.type == "token" and each.code != "identifier")
    return tokens, frozenset(each.code for each in known if each.type == "reference")
