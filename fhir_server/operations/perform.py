"""The way from `$name` to the function that performs it: the only place that knows them all.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, TypeAlias

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.serving import Serving
from fhir_server.operations import everything, lastn, meta, stats, subsumes, validate, validate_code
from fhir_server.operations.arguments import Arguments, arguments
from fhir_server.operations.definition import INSTANCE, SYSTEM, TYPE, Operation, operation
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.repository import Repository
from profiles.definitions import Definitions

Performer: TypeAlias = Callable[[FhirRequest, Arguments, Repository, Serving], Awaitable[FhirResponse]]

PERFORMERS: Mapping[str, Performer] = MappingProxyType(
    {
        "CodeSystem-subsumes": subsumes.subsumes,
        "CodeSystem-validate-code": validate_code.of_code_system,
        "Encounter-everything": everything.encounter_everything,
        "Observation-lastn": lastn.lastn,
        "Observation-stats": stats.stats,
        "Patient-everything": everything.patient_everything,
        "Resource-meta": meta.meta,
        "Resource-meta-add": meta.meta_add,
        "Resource-meta-delete": meta.meta_delete,
        "Resource-validate": validate.validate,
        "ValueSet-validate-code": validate_code.of_value_set,
    }
)
"""OperationDefinition.id -> what performs it."""

OF_THE_NETWORK: Final = frozenset({"Patient-match"})
"""Operations of R4 that the network performs (fhir_server.network), as it does all that it has defined itself."""


async def perform(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:
    """Perform an operation.

    Raises FhirError: 404 for one that does not exist here, 405 for GET where it needs a body, 400 for parameters that
    it does not know or cannot read.
    """
    found = called(request, serving)
    performer = PERFORMERS.get(found.id)
    if performer is None:
        diagnostics = f"${found.code} is asked for by itself, not inside of a Bundle"
        raise FhirError(Issue("not-supported", diagnostics, ("Bundle.entry.request.url",)), status=400)
    return await performer(request, arguments(request, found), repository, serving)


@cache
def operations(definitions: Definitions) -> Mapping[str, tuple[Operation, ...]]:
    """Give the operations served, by their code."""
    found: dict[str, tuple[Operation, ...]] = {}
    networks = OF_THE_NETWORK | {each["id"] for each in definitions.network_operations}
    for definition in definitions.operations:
        if definition["id"] in PERFORMERS or definition["id"] in networks:
            known = operation(definition)
            found[known.code] = (*found.get(known.code, ()), known)
    return MappingProxyType(found)


def called(request: FhirRequest, serving: Serving) -> Operation:
    """Give the operation that is asked for. Raises FhirError: 404 for one that does not exist here, 405 for GET where it needs a body."""
    found = _operation(request, serving)
    if request.by_get and not found.by_get:
        raise _needs_post(found)
    return found


def _operation(request: FhirRequest, serving: Serving) -> Operation:
    level = SYSTEM if request.type is None else TYPE if request.id is None else INSTANCE
    known = operations(serving.definitions).get(request.operation or "", ())
    for each in known:
        if each.serves(request.type, level):
            return each
    diagnostics = "There is no such operation here; GET [base]/metadata lists those that are"
    if known:
        diagnostics = f"${known[0].code} is not defined at this address: {_addresses(known)}"
    raise FhirError(Issue("not-supported", diagnostics, ("http.path",)), status=404)


def _addresses(known: tuple[Operation, ...]) -> str:
    forms = {SYSTEM: "[base]/${}", TYPE: "[type]/${}", INSTANCE: "[type]/[id]/${}"}
    found: list[str] = []
    for each in known:
        for type in sorted(each.types) if each.types is not None else ["[type]"]:
            found += [forms[level].format(each.code).replace("[type]", type) for level in forms if level in each.levels]
    return ", ".join(found)


def _needs_post(operation: Operation) -> FhirError:
    issue = Issue("not-supported", f"${operation.code} takes its parameters in a body: use POST", ("http.method",))
    return FhirError(issue, status=405, headers=(("Allow", "POST"),))
