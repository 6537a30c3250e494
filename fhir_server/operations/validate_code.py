"""The operations ValueSet-validate-code and CodeSystem-validate-code: whether a code belongs.

https://hl7.org/fhir/R4/valueset-operation-validate-code.html
https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
"""

import msgspec

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.serving import Serving
from fhir_server.operations.arguments import Arguments
from fhir_server.operations.asking import asked, codings, subject, told, unknown
from fhir_server.store.repository import Repository
from terminology.code_system import CodeSystem
from terminology.lookup import Lookup
from terminology.members import Members


async def of_value_set(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:  # noqa: ARG001
    """Answer whether the code, or one of several codings, belongs to the value set.

    Raises FhirError: 404 for a value set that is not known, and where not enough is known of its code systems to tell.
    """
    named, pairs = await subject(request, arguments, repository, "url", "valueSet"), codings(arguments)

    def members(lookup: Lookup) -> Members | None:
        return lookup.members_of(named) if isinstance(named, bytes) else lookup.members(named)

    found = await asked(members, repository)
    if found is None:
        raise unknown("This value set is not known here")
    return told([found.contains(code, system) for code, system in pairs], arguments, "value set")


async def of_code_system(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:  # noqa: ARG001
    """Answer whether the code is one of the code system.

    Raises FhirError: 404 for a code system that is not known, and where not all of its codes are.
    """
    named, pairs = await subject(request, arguments, repository, "url", "codeSystem"), codings(arguments)
    found = await asked(lambda lookup: system_of(named, lookup), repository)
    if found is None:
        raise unknown("This code system is not known here")
    verdicts = [system in (None, found.url) and (code in found or (None if not found.complete else False)) for code, system in pairs]
    return told(verdicts, arguments, "code system")


def system_of(named: str | bytes, lookup: Lookup) -> CodeSystem | None:
    """Give the code system with this canonical, or the one that this JSON is; None where there is none."""
    if isinstance(named, str):
        return lookup.code_system(named.partition("|")[0])
    try:
        return CodeSystem(named)
    except msgspec.DecodeError:
        return None
