"""Ask the search of one resource in memory: what a query string means, and whether the resource answers it."""

from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from fhir_server.outcome import FhirError
from fhir_server.search.entries import entries, updated_entry, updated_span
from fhir_server.search.expression import Entries
from fhir_server.search.holding import Subject, holds
from fhir_server.search.limits import Limits
from fhir_server.search.parameters import Parameters
from fhir_server.search.query import Query, parse
from profiles.definitions import r4
from profiles.primitives import TOKYO

NOW = datetime(2026, 4, 1, tzinfo=UTC)
BASE = "http://127.0.0.1:8080/fhir"


@cache
def parameters() -> Parameters:
    return Parameters(r4())


def query(search: str, *, strict: bool = True, limits: Limits | None = None) -> Query:
    """Parse `Type?name=value&...`."""
    type, _, text = search.partition("?")
    pairs = parse_qsl(text, keep_blank_values=True)
    return parse(type, pairs, parameters(), strict=strict, zone=TOKYO, limits=limits or Limits(), now=NOW, base=BASE)


def refusal(search: str, *, strict: bool = True, limits: Limits | None = None) -> FhirError:
    """Parse what cannot be understood."""
    try:
        query(search, strict=strict, limits=limits)
    except FhirError as failure:
        return failure
    raise AssertionError(f"{search} was understood")


def found_by(resource: dict[str, Any]) -> Entries:
    return entries(resource, parameters(), TOKYO)


def answers(search: str, resource: dict[str, Any], updated: int | None = None) -> bool:
    """Tell whether the search finds the resource."""
    stored = found_by(resource)
    if updated is not None:
        stored = Entries(
            (*stored.entries, updated_entry(updated)), stored.words, (*stored.spans, updated_span(updated)), stored.groups, stored.patient
        )
    return holds(query(search).expression, Subject(resource["resourceType"], resource.get("id", "1"), stored))
