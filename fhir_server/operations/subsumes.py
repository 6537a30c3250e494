"""The operation CodeSystem-subsumes: which of two codes stands above the other.

https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
"""

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.serving import Serving
from fhir_server.operations.arguments import Arguments
from fhir_server.operations.asking import asked, subject, unknown
from fhir_server.operations.validate_code import system_of
from fhir_server.outcome import FhirError, invalid
from fhir_server.store.repository import Repository
from profiles import json
from terminology.code_system import CodeSystem


async def subsumes(request: FhirRequest, arguments: Arguments, repository: Repository, serving: Serving) -> FhirResponse:  # noqa: ARG001
    """Answer `equivalent`, `subsumes`, `subsumed-by` or `not-subsumed`, of A to B.

    Raises FhirError: 404 for a code system that is not known, 400 for a code that it does not have.
    """
    a, b = _code(arguments, "A"), _code(arguments, "B")
    named = await _system(request, arguments, repository)
    system = await asked(lambda lookup: system_of(named, lookup), repository)
    if system is None:
        raise unknown("This code system is not known here")
    for letter, code in (("A", a), ("B", b)):
        if code not in system:
            raise _wrong(letter, "The code is none of the code system")
    answer = {"resourceType": "Parameters", "parameter": [{"name": "outcome", "valueCode": _outcome(system, a, b)}]}
    return FhirResponse(200, json.encode(answer))


def _outcome(system: CodeSystem, a: str, b: str) -> str:
    if a == b:
        return "equivalent"
    if b in system.below(a):
        return "subsumes"
    return "subsumed-by" if a in system.below(b) else "not-subsumed"


def _code(arguments: Arguments, letter: str) -> str:
    code = arguments.one(f"code{letter}") or (arguments.one(f"coding{letter}") or {}).get("code")
    if not isinstance(code, str):
        raise _wrong(letter, f"Give code{letter} with system, or coding{letter}")
    return code


async def _system(request: FhirRequest, arguments: Arguments, repository: Repository) -> str | bytes:
    """The system that is named, or the one that the codings share."""
    named = {(arguments.one(f"coding{letter}") or {}).get("system") for letter in "AB"} - {None}
    if request.id is not None or arguments.one("system") is not None or len(named) != 1:
        return await subject(request, arguments, repository, "system", "codeSystem")
    return str(named.pop())


def _wrong(letter: str, diagnostics: str) -> FhirError:
    return invalid(diagnostics, f"Parameters.parameter.where(name='code{letter}')", code="value")
