"""The operations Patient-everything and Encounter-everything: a whole record, and what it refers to.

https://hl7.org/fhir/R4/patient-operation-everything.html
https://hl7.org/fhir/R4/encounter-operation-everything.html

A page holds, beside its own resources, what these refer to: with each page again, so that every page can be read by
itself. What was recorded without a date of care (an allergy, a coverage) is given whatever period is asked for.
"""

from dataclasses import dataclass
from typing import Any

from fhir_server.exchange import FhirRequest, FhirResponse, Version
from fhir_server.interactions import bundle
from fhir_server.interactions.serving import Serving
from fhir_server.operations.arguments import Arguments
from fhir_server.operations.compartment import belonging, may_come_along, references
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search import paging
from fhir_server.search.entries import UPDATED
from fhir_server.search.expression import EVERYTHING, And, Expression, Not, OfType, Or, Present, Spans
from fhir_server.search.parameters import Parameters
from fhir_server.store.belonging import Belonging
from fhir_server.store.repository import Page, Repository
from profiles import json
from profiles.primitives import date_span

_MOST_REFERRED = 1000
_BEGINNING = ("", 0, "")  # the place before everything that belongs to the owner
_FOREVER = (-(1 << 53), 1 << 53)  # milliseconds


async def patient_everything(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with a page of the patient's record. Raises FhirError: 400 without an id, 404 and 410 as a read of the patient."""
    if request.id is None:
        diagnostics = "Name the patient: [base]/Patient/[id]/$everything; the records of several come by a search for each"
        raise FhirError(Issue("not-supported", diagnostics, ("http.path",)), status=400)
    patient = await repository.get("Patient", request.id)
    return await _answer(_Record(request, arguments, serving, patient, patient.reference), repository)


async def encounter_everything(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:
    """Answer with a page of what belongs to the encounter. Raises FhirError: 404 and 410 as a read of the encounter."""
    assert request.id is not None
    encounter = await repository.get("Encounter", request.id)
    assert encounter.body is not None
    subject = json.decode(encounter.body).get("subject", {}).get("reference", "")
    patient = subject if subject.startswith("Patient/") else None
    return await _answer(_Record(request, arguments, serving, encounter, patient), repository)


@dataclass(frozen=True, slots=True)
class _Record:
    """What is asked for: the record of `owner`, and whose it is."""

    request: FhirRequest
    arguments: Arguments
    serving: Serving
    owner: Version
    patient: str | None

    @property
    def types(self) -> frozenset[str] | None:
        """The types that are wanted, None for all."""
        named = [type.strip() for value in self.arguments.all("_type") for type in value.split(",")]
        if any(type not in self.serving.parameters.types for type in named):
            raise invalid("_type holds resource types of FHIR R4, with commas between them", "http._type", code="value")
        if "AuditEvent" in named:
            raise invalid(
                "What was done with a record is no part of it: search Patient/[id]/AuditEvent", "http._type", code="not-supported"
            )
        return frozenset(named) if named else None

    @property
    def count(self) -> int:
        """FHIR asks for all in one Bundle unless the client names a size: so a page is as large as pages get."""
        count, most = self.arguments.one("_count"), self.serving.limits.most
        if count is not None and count < 1:
            raise invalid("_count is a whole number, 1 or more", "http._count", code="value")
        return min(count or most, most)

    @property
    def address(self) -> str:
        """The address below the base, to which the tokens of its pages are bound."""
        return f"{self.owner.reference}/$everything"

    @property
    def token(self) -> str | None:
        """The token of the page that is asked for."""
        return next((value for name, value in self.request.parameters if name == paging.PARAMETER), None)

    def link(self, token: str | None) -> str:
        """Give the address of a page, of the first one without a token."""
        pairs = self.arguments.understood if token is None else (*self.arguments.understood, (paging.PARAMETER, token))
        address = f"{self.request.base}/{self.address}"
        return f"{address}?{bundle.query_string(pairs)}" if pairs else address


async def _answer(asked: _Record, repository: Repository) -> FhirResponse:
    serving, owner, types, token = asked.serving, asked.owner, asked.types, asked.token
    record = belonging(owner.type, owner.id, serving.parameters, types)
    after = None if token is None else serving.tokens.decode(token, asked.address, asked.arguments.understood)
    with_owner = after is None and (types is None or owner.type in types) and _is_new_enough(owner, asked.arguments, serving)
    room = asked.count - 1 if with_owner else asked.count
    limit = _limit(asked.arguments, record, serving)
    page = await repository.belongings(record, limit, room, after) if room else Page((), _BEGINNING)
    matches = [*([owner] if with_owner else []), *(version for version in page.versions if version.reference != owner.reference)]
    others = await _referred(asked, matches, repository)
    base = asked.request.base.encode()
    entries = [bundle.found(base, version, b"match") for version in matches]
    entries += [bundle.found(base, version, b"include") for version in others]
    total = len(matches) if page.after is None and after is None else None
    return FhirResponse(200, bundle.joined("searchset", entries, total=total, links=_links(asked, page)))


async def _referred(asked: _Record, matches: list[Version], repository: Repository) -> list[Version]:
    """What the resources of the page refer to; of a patient's record nothing that belongs into the record itself."""
    parameters = asked.serving.parameters
    wanted_types = asked.types or parameters.types
    if asked.owner.type == "Patient":
        wanted_types -= parameters.compartment("Patient").keys()
    shown = {version.reference for version in matches} | {asked.owner.reference}
    wanted = [each for each in references(matches) if each.partition("/")[0] in wanted_types and each not in shown][:_MOST_REFERRED]
    if not wanted:
        return []
    return await repository.referred(wanted, may_come_along(wanted, asked.patient, parameters))


def _links(asked: _Record, page: Page) -> list[tuple[str, str]]:
    links = [("self", asked.link(asked.token))]
    if page.after is not None:
        links.append(("next", asked.link(asked.serving.tokens.encode(page.after, asked.address, asked.arguments.understood))))
    return links


# -- what is asked for --------------------------------------------------------------------------------------------------


def _limit(arguments: Arguments, record: Belonging, serving: Serving) -> Expression:
    parts: list[Expression] = []
    since = arguments.one("_since")
    if since is not None:
        moment = date_span(since, serving.zone)[0]
        parts.append(Spans(UPDATED, "ge", moment, moment))
    period = _period(arguments, serving)
    if period != _FOREVER:
        parts.append(_of_care(record.types, *period, serving.parameters))
    return And(tuple(parts)) if parts else EVERYTHING


def _is_new_enough(owner: Version, arguments: Arguments, serving: Serving) -> bool:
    since: Any = arguments.one("_since")
    return since is None or owner.updated.timestamp() * 1000 >= date_span(since, serving.zone)[0]


def _period(arguments: Arguments, serving: Serving) -> tuple[int, int]:
    start, end = arguments.one("start"), arguments.one("end")
    low = date_span(start, serving.zone)[0] if start is not None else _FOREVER[0]
    high = date_span(end, serving.zone)[1] if end is not None else _FOREVER[1]
    if low > high:
        raise invalid("start is after end", "http.start", code="value")
    return low, high


def _of_care(types: tuple[str, ...], low: int, high: int, parameters: Parameters) -> Expression:
    """Care overlapped the period, by each type's main date; what has no date of care is not left out."""
    by_date: dict[str | None, list[str]] = {}
    for type in types:
        by_date.setdefault(parameters.date(type), []).append(type)
    parts: list[Expression] = []
    for code, dated in by_date.items():
        overlaps = () if code is None else (Or((Spans(code, "ap", low, high), Not(Present(code)))),)
        parts.append(And((OfType(tuple(dated)), *overlaps)))
    return Or(tuple(parts))
