"""What is loaded once and shared by all workers of a machine: definitions, search parameters, the validator, statements."""

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

from fhir_server.interactions.statement import full, normative, requirements, served, terminology
from fhir_server.operations.perform import operations
from fhir_server.rest.openapi import DEFAULT_BASE, document, invocation
from fhir_server.search import compartment
from fhir_server.search.parameters import Parameters
from profiles import json
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as r4_terminology


def preload() -> None:
    """Load the definitions, so that processes forked from this one share them."""
    validator()
    statement("full")
    compartment.members("Patient", parameters().types, parameters())  # compiles what every patient's compartment is made of


@cache
def parameters() -> Parameters:
    """The search parameters of every type, at no address in particular."""
    return Parameters(r4())


@cache
def validator() -> Validator:
    """The validator of resources."""
    return Validator(r4(), r4_terminology())


@cache
def statement(mode: str, *, cors: bool = False, issuer: str | None = None) -> bytes:
    """The CapabilityStatement of a mode in JSON, with a mark where the server's address belongs."""
    if mode == "terminology":
        return json.encode(terminology(requirements(r4()), version(), r4_terminology().code_systems))
    made = full(requirements(r4()), parameters(), version(), cors=cors, issuer=issuer)
    return json.encode(normative(made) if mode == "normative" else made)


def openapi(base: str = DEFAULT_BASE) -> bytes:
    """Give the OpenAPI document of a server at this address; `openapi/openapi.json` holds that of the default one."""
    return document(
        served(requirements(r4())),
        parameters(),
        version(),
        base,
        invocation.paths(each for known in operations(r4()).values() for each in known),
    )


def version() -> str:
    """The version of Tsunagi that is installed."""
    try:
        return installed("tsunagi")
    except PackageNotFoundError:
        return "0"
