"""The CapabilityStatement of this server, and what else its metadata can tell.

https://hl7.org/fhir/R4/capabilitystatement.html
https://hl7.org/fhir/R4/terminologycapabilities.html

The statement is what this server was made to serve (the network's CapabilityStatement of requirements), as far as the
table of interactions knows it, with the search parameters that are compiled for each type.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fhir_server.interactions.serving import BASE
from fhir_server.interactions.table import INTERACTIONS, Served
from fhir_server.search.grammar import COMMON, RESULTS, sentence
from fhir_server.search.parameters import Parameter, Parameters
from profiles.definitions import Definitions

FORMATS = ["application/fhir+json", "json"]
PATCH_FORMATS = ["application/json-patch+json", "application/fhir+json"]

_EVERYWHERE = frozenset({"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source", *(each.name for each in COMMON)})
_ANYTHING = 100  # a reference to so many types is one to whatever there is: it is not listed with each of them
_DEFINITION = "http://hl7.org/fhir/CompartmentDefinition/"
_SECURED = (
    "OAuth 2.0 with SMART App Launch 2.2 and Backend Services: [base]/.well-known/smart-configuration says where. Nothing but this statement is "
    "answered without an access token. / アクセストークン (SMART on FHIR) が必要です。"
)
_OPEN = (
    "Authentication is off: whoever reaches the server reads and changes everything. For measuring and tests with made-up data only. / "
    "認証は無効です。架空のデータによる試験専用です。"
)
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SMART = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}]}
_TRIAL_USE = frozenset(
    {
        "versioning", "readHistory", "updateCreate", "conditionalCreate", "conditionalRead", "conditionalUpdate", "conditionalDelete",
        "referencePolicy", "searchInclude", "searchRevInclude", "supportedProfile", "security",
    }
)  # fmt: skip
"""What the StructureDefinition of R4's CapabilityStatement marks as for trial use."""


def requirements(definitions: Definitions) -> Mapping[str, Any]:
    """Give the network's statement of what the server has to serve."""
    return next(each for each in definitions.networks if each["resourceType"] == "CapabilityStatement" and each["kind"] == "requirements")


def server(required: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give what a statement says of the server's side of the RESTful API."""
    found: Mapping[str, Any] = next(rest for rest in required["rest"] if rest["mode"] == "server")
    return found


def served(required: Mapping[str, Any]) -> Served:
    """Give the interactions of each resource type that are required and known here."""
    known = frozenset(interaction.code for interaction in INTERACTIONS)
    return {each["type"]: known.intersection(asked["code"] for asked in each["interaction"]) for each in server(required)["resource"]}


def full(
    required: Mapping[str, Any], parameters: Parameters, version: str, *, cors: bool = False, issuer: str | None = None
) -> dict[str, Any]:
    """Make the CapabilityStatement; `cors` tells whether pages of other origins may ask, `issuer` who gives the tokens that are needed."""
    rest = server(required)
    types = [each["type"] for each in rest["resource"]]
    pointing = _pointing(types, parameters)
    own = {
        "mode": "server",
        "documentation": f"Every search also takes {', '.join(RESULTS)}, and every answer _format and _pretty.",
        "security": _security(issuer, cors=cors),
        "resource": [_resource(each, parameters, pointing[each["type"]]) for each in rest["resource"]],
        "interaction": rest["interaction"],
        "searchParam": _common(parameters, types[0]),
        "compartment": [_DEFINITION + code.lower() for code in _compartments(parameters)],
    }
    if rest.get("operation"):
        own["operation"] = rest["operation"]
    return {
        **_heading("CapabilityStatement", required, version),
        "kind": "instance",
        "instantiates": [required["url"]],
        **_software(version),
        "fhirVersion": required["fhirVersion"],
        "format": FORMATS,
        "patchFormat": PATCH_FORMATS,
        "rest": [{key: own[key] for key in _ORDER if key in own}],
    }


def _security(issuer: str | None, *, cors: bool) -> dict[str, Any]:
    """Say whether a token is needed, and where apps get one: the extension is for those that know no smart-configuration."""
    if issuer is None:
        return {"cors": cors, "description": _OPEN}
    addresses = [{"url": name, "valueUri": f"{issuer}/auth/{name}"} for name in ("authorize", "token", "introspect", "revoke")]
    return {"extension": [{"url": _OAUTH_URIS, "extension": addresses}], "cors": cors, "service": [_SMART], "description": _SECURED}


_ORDER = ("mode", "documentation", "security", "resource", "interaction", "searchParam", "operation", "compartment")


def normative(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Give the normative portion of a statement: what R4 has for trial use is left out."""
    rests = [
        {
            **{key: value for key, value in rest.items() if key not in _TRIAL_USE},
            "resource": [{key: value for key, value in each.items() if key not in _TRIAL_USE} for each in rest["resource"]],
        }
        for rest in statement["rest"]
    ]
    return {**statement, "rest": rests}


def terminology(required: Mapping[str, Any], version: str, code_systems: Iterable[str]) -> dict[str, Any]:
    """Make the TerminologyCapabilities: the code systems whose codes this server knows."""
    return {
        **_heading("TerminologyCapabilities", required, version),
        "kind": "instance",
        **_software(version),
        "codeSystem": [{"uri": url} for url in sorted(code_systems)],
        "codeSearch": "explicit",
    }


def _heading(type: str, required: Mapping[str, Any], version: str) -> dict[str, Any]:
    title = "What this Tsunagi server serves / このサーバーの機能"
    return {"resourceType": type, "version": version, "name": "Tsunagi", "title": title, "status": "active", "date": required["date"]}


def _software(version: str) -> dict[str, Any]:
    return {
        "software": {"name": "Tsunagi", "version": version},
        "implementation": {"description": "Tsunagi FHIR server", "url": BASE.decode()},
    }


def _resource(required: Mapping[str, Any], parameters: Parameters, revincludes: list[str]) -> dict[str, Any]:
    own = [each for each in _ordered(parameters.of(required["type"])) if each.code not in _EVERYWHERE]
    includes = [f"{required['type']}:{each.code}" for each in own if each.type == "reference"]
    operations = required.get("operation")
    resource = {key: value for key, value in required.items() if key != "operation"}
    if includes:
        resource["searchInclude"] = ["*", *includes]
    if revincludes:
        resource["searchRevInclude"] = revincludes
    if own:
        resource["searchParam"] = [_search_parameter(each) for each in own]
    if operations:
        resource["operation"] = operations
    return resource


def _pointing(types: list[str], parameters: Parameters) -> Mapping[str, list[str]]:
    """Give for each type the references of others that name it as a target."""
    found: dict[str, list[str]] = {type: [] for type in types}
    for type in types:
        for each in _ordered(parameters.of(type)):
            if each.type == "reference" and len(each.targets) < _ANYTHING:
                for target in each.targets:
                    if target in found:
                        found[target].append(f"{type}:{each.code}")
    return found


def _compartments(parameters: Parameters) -> Iterator[str]:
    return (code for code in ("Patient", "Encounter", "RelatedPerson", "Practitioner", "Device") if parameters.compartment(code))


def _ordered(parameters: Mapping[str, Parameter]) -> Iterator[Parameter]:
    return iter(sorted(parameters.values(), key=lambda parameter: parameter.code))


def _common(parameters: Parameters, type: str) -> list[dict[str, str]]:
    found = [_search_parameter(each) for each in _ordered(parameters.of(type)) if each.code in _EVERYWHERE]
    known = {each["name"] for each in found}
    for each in COMMON:
        if each.name not in known:
            definition = {"definition": each.definition} if each.definition else {}
            found.append({"name": each.name, **definition, "type": each.type, "documentation": each.says})
    return found


def _search_parameter(parameter: Parameter) -> dict[str, str]:
    element = {"name": parameter.code, "definition": parameter.url, "type": parameter.type}
    documentation = sentence(parameter.type, parameter.code)
    return {**element, "documentation": documentation} if documentation else element
