"""All that a resource can be found by.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo

from fhir_server.exchange import Resource
from fhir_server.search.codings import Mentions, mentions, patients, subjects, words
from fhir_server.search.expression import EQUALS, LOW, Entries, Group, Inner, Span
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.composite import SIMPLE, Components
from fhir_server.search.types.date import spanned
from fhir_server.search.types.found import Found
from fhir_server.search.types.reference import literal
from fhir_server.search.types.sortable import BEGINNING, sortable_date
from profiles.fhirpath import Node

UPDATED = "_lastUpdated"
CONTAINED = "_contained"
SEVERAL = "*"
ABOUT = "_about"


def entries(resource: Resource, parameters: Parameters, zone: tzinfo) -> Entries:
    """Gather everything that the search parameters of the resource's type find in it, and that the rules of consents ask for.

    `_id` and `_lastUpdated` are left out: the one is the key, the other is known only when the resource is stored.
    """
    found = _entries(resource, parameters, zone)
    mentioned = mentions(resource, parameters.base)
    more = words(mentioned, found.entries, parameters, resource["resourceType"])
    about = _about(resource, mentioned, found, parameters)
    return replace(found, entries=(*found.entries, *about), words=(*found.words, *more)) if more or about else found


def _about(resource: Resource, mentioned: Mentions, found: Entries, parameters: Parameters) -> tuple[str, ...]:
    """The patients whom it tells of, wherever it names them, unless that is the one of the lead parameter."""
    named = subjects(resource, parameters.base) if resource["resourceType"] == "Patient" else patients(mentioned)
    if named == ((found.patient,) if found.patient is not None else ()):
        return ()
    return (*(f"{ABOUT}{EQUALS}{each}" for each in named), *([f"{ABOUT}{EQUALS}{SEVERAL}"] if len(named) > 1 else []))


def _entries(resource: Resource, parameters: Parameters, zone: tzinfo) -> Entries:
    type: str = resource["resourceType"]
    main_date = parameters.date(type)
    found, grouped = Found(parameters.base), list[Group]()
    patients: dict[str, None] = {}
    date = 0
    contained = contained_entries(resource, parameters, zone) if "contained" in resource else ()
    found.entries += [CONTAINED + EQUALS + each.type for each in contained]
    components: Components | None = None
    present = resource.keys()
    for names, extract, group in parameters.plan(type):
        if names is not None and present.isdisjoint(names):
            continue
        if group[0].type == "composite":
            components = components or Components(resource, zone, parameters.base)
            grouped += components.groups(group[0])
            continue
        nodes = extract(resource)
        if not nodes:
            continue
        for parameter in group:
            SIMPLE[parameter.type].entries(parameter.code, nodes, found, zone)
            if parameter.leads:
                patients.update(dict.fromkeys(_patients(nodes, parameters.base)))
            if parameter.code == main_date:
                date = _latest(nodes, zone)
    return Entries(
        entries=tuple(dict.fromkeys(found.entries)),
        words=tuple(dict.fromkeys(found.words)),
        spans=tuple(dict.fromkeys(found.spans)),
        groups=tuple(grouped),
        patient=next(iter(patients)) if len(patients) == 1 else SEVERAL if patients else None,
        patients=tuple(patients) if len(patients) > 1 else (),
        date=date,
        contained=contained,
    )


def contained_entries(resource: Resource, parameters: Parameters, zone: tzinfo) -> tuple[Inner, ...]:
    """Gather what each contained resource that has an id can be found by; nothing contained contains another one."""
    return tuple(
        Inner(
            each["resourceType"],
            each["id"],
            _entries({name: value for name, value in each.items() if name != "contained"}, parameters, zone),
        )
        for each in resource.get("contained", ())
        if each["resourceType"] in parameters.types and "id" in each
    )


def updated_entry(ms: int) -> str:
    """Give the index entry of meta.lastUpdated, an instant of milliseconds since 1970."""
    return UPDATED + LOW + sortable_date(ms)


def updated_span(ms: int) -> Span:
    """Give the span of meta.lastUpdated."""
    return Span(UPDATED, ms, ms)


def _patients(nodes: Sequence[Node], base: str) -> list[str]:
    references = (value.get("reference") for _, value in nodes if isinstance(value, dict))
    literals = [literal(each, base) for each in references if isinstance(each, str)]
    return [each for each in literals if each.startswith("Patient/")]


def _latest(nodes: Sequence[Node], zone: tzinfo) -> int:
    """The latest begin; the end of what only has an end."""
    spans = [span for span in (spanned(type, value, zone) for type, value in nodes) if span is not None]
    return max((high if low == BEGINNING else low for low, high in spans), default=0)
