"""FHIR capabilities interaction, and the statement it answers with.

https://hl7.org/fhir/R4/http.html#capabilities
https://hl7.org/fhir/R4/capabilitystatement.html

The statement is what this server was made to serve (the network's CapabilityStatement of requirements), as far as the
table of interactions knows it, with the search parameters that are compiled for each type.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.serving import BASE, Serving
from fhir_server.interactions.table import INTERACTIONS, Served
from fhir_server.search.parameters import Parameter, Parameters
from fhir_server.store.repository import Repository
from profiles import json
from profiles.definitions import Definitions

_EVERYWHERE = frozenset({"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"})


async def capabilities(request: FhirRequest, repository: Repository, serving: Serving) -> FhirResponse:  # noqa: ARG001
    """Answer with what this server serves."""
    return FhirResponse(200, serving.statement().replace(BASE, request.base.encode()))


def requirements(definitions: Definitions) -> Mapping[str, Any]:
    """Give the network's statement of what the server has to serve."""
    return next(each for each in definitions.networks if each["resourceType"] == "CapabilityStatement" and each["kind"] == "requirements")


def served(required: Mapping[str, Any]) -> Served:
    """Give the interactions of each resource type that are required and known here."""
    known = frozenset(interaction.code for interaction in INTERACTIONS)
    return {each["type"]: known.intersection(asked["code"] for asked in each["interaction"]) for each in _server(required)["resource"]}


def statement(required: Mapping[str, Any], parameters: Parameters, version: str) -> bytes:
    """Write the CapabilityStatement of this server."""
    resources = [_resource(each, parameters) for each in _server(required)["resource"]]
    any_type = resources[0]["type"]
    common = [_search_parameter(each) for each in _ordered(parameters.of(any_type)) if each.code in _EVERYWHERE]
    answer = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": required["date"],
        "kind": "instance",
        "instantiates": [required["url"]],
        "software": {"name": "Tsunagi", "version": version},
        "implementation": {"description": "Tsunagi FHIR server", "url": BASE.decode()},
        "fhirVersion": required["fhirVersion"],
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "resource": resources,
                "interaction": _server(required)["interaction"],
                "searchParam": common,
            }
        ],
    }
    return json.encode(answer)


def _server(required: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(rest for rest in required["rest"] if rest["mode"] == "server")


def _resource(required: Mapping[str, Any], parameters: Parameters) -> dict[str, Any]:
    own = [each for each in _ordered(parameters.of(required["type"])) if each.code not in _EVERYWHERE]
    includes = [f"{required['type']}:{each.code}" for each in own if each.type == "reference"]
    resource = dict(required)
    if includes:
        resource["searchInclude"] = includes
    if own:
        resource["searchParam"] = [_search_parameter(each) for each in own]
    return resource


def _ordered(parameters: Mapping[str, Parameter]) -> Iterator[Parameter]:
    return iter(sorted(parameters.values(), key=lambda parameter: parameter.code))


def _search_parameter(parameter: Parameter) -> dict[str, str]:
    return {"name": parameter.code, "definition": parameter.url, "type": parameter.type}
