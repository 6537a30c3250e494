"""What the rules of a consent can ask of one resource, taken from its JSON.

https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.data
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from fhir_server.consent.provision import Interval, codings
from fhir_server.exchange import Resource
from fhir_server.search.codings import AUTHORING, holding, mentions, subjects
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.date import spanned
from fhir_server.search.types.reference import literal

DOCUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "Composition": ("type", "category"),
    "DocumentManifest": ("type",),
    "DocumentReference": ("type", "category"),
}
"""Where documents say of which type they are; search parameters and elements have the same names."""

MIME_TYPES: Final[Mapping[str, str]] = {"DocumentReference": "contenttype"}
"""The search parameter for the media type of what a document is."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One resource as the rules see it. `custodian` is "Organization/1", labels, codings and documents "system|code".

    `times` are the spans of its main date; `references` all that it refers to; `authors` those of them that made it.
    """

    type: str
    id: str
    custodian: str | None = None
    patients: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    times: tuple[Interval, ...] = ()
    codings: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    mime_types: frozenset[str] = frozenset()
    references: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()


def facts(resource: Resource, custodian: str | None, parameters: Parameters, zone: tzinfo) -> Facts:
    """Gather the facts of a resource in this custody; `zone` is that of dates without a time."""
    type = resource["resourceType"]
    mentioned = mentions(resource, parameters.base)
    authors = (_references(resource, code, parameters) for code in holding(parameters, type)[1] & AUTHORING)
    meta = resource.get("meta", {})
    return Facts(
        type,
        str(resource.get("id", "")),
        custodian,
        subjects(resource, parameters.base),
        frozenset(f"{each.get('system', '')}|{each.get('code', '')}" for each in meta.get("security", ())),
        frozenset(name for each in meta.get("profile", ()) for name in (each, each.partition("|")[0])),
        tuple(_times(resource, parameters, zone)),
        frozenset(mentioned.codings),
        frozenset(_documents(resource)),
        frozenset(_mime_types(resource)),
        frozenset(mentioned.references),
        frozenset(mentioned.authors).union(*authors),
    )


def _references(resource: Resource, code: str, parameters: Parameters) -> frozenset[str]:
    nodes = parameters.of(resource["resourceType"])[code].extract(resource)
    found = (value.get("reference") for _, value in nodes if isinstance(value, dict))
    return frozenset(literal(each, parameters.base) for each in found if isinstance(each, str))


def _times(resource: Resource, parameters: Parameters, zone: tzinfo) -> Iterator[Interval]:
    code = parameters.date(resource["resourceType"])
    if code is not None:
        for type, value in parameters.of(resource["resourceType"])[code].extract(resource):
            span = spanned(type, value, zone)
            if span is not None:
                yield Interval(*span)


def _documents(resource: Resource) -> Iterator[str]:
    for element in DOCUMENTS.get(resource["resourceType"], ()):
        value: Any = resource.get(element, [])
        for concept in value if isinstance(value, list) else [value]:
            for coding in codings(concept):
                if "system" in coding and "code" in coding:
                    yield f"{coding['system']}|{coding['code']}"


def _mime_types(resource: Resource) -> Iterator[str]:
    for content in resource.get("content", ()) if resource["resourceType"] in MIME_TYPES else ():
        found = content.get("attachment", {}).get("contentType")
        if isinstance(found, str):
            yield found
