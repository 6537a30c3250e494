"""What an operation was called with, checked against its definition.

https://hl7.org/fhir/R4/operations.html#request

Parameters come in the address, in a Parameters resource, or as the one resource that the operation is about.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_server.exchange import FhirRequest
from fhir_server.operations.definition import Operation, Parameter
from fhir_server.outcome import FhirError, Issue, invalid, name_shown
from profiles.primitives import valid

_WHOLE = re.compile(r"-?[0-9]{1,9}")
_BOOLEANS = {"true": True, "false": False}
_WHOLES = frozenset({"integer", "positiveInt", "unsignedInt"})
_OF_OTHERS = frozenset({"_format", "_pretty", "_after"})


@dataclass(frozen=True, slots=True)
class Arguments:
    """The values by parameter name, each of its parameter's type: primitives as in JSON, resources as objects.

    `search` are the pairs of an operation that searches. `understood` are all that an address can hold, for links: a page
    that is asked for by POST goes on by GET.
    """

    values: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    search: Sequence[tuple[str, str]] = ()
    understood: tuple[tuple[str, str], ...] = ()

    def one(self, name: str) -> Any:
        """Give the value of a parameter, None where it is absent."""
        values = self.values.get(name)
        return values[0] if values else None

    def all(self, name: str) -> tuple[Any, ...]:
        """Give every value of a parameter that may repeat."""
        return self.values.get(name, ())


def arguments(request: FhirRequest, operation: Operation) -> Arguments:
    """Read and check what the operation was called with.

    Raises FhirError (400) that names the parameter: one that it does not know, lacks or cannot read.
    """
    values: dict[str, list[Any]] = {}
    search: list[tuple[str, str]] = []
    understood: list[tuple[str, str]] = []
    for name, text in request.parameters:
        if name in _OF_OTHERS:
            continue
        parameter = operation.parameters.get(name)
        understood.append((name, text))
        if parameter is not None:
            values.setdefault(name, []).append(_from_text(parameter, text))
        elif operation.searches:
            search.append((name, text))
        else:
            raise _unknown(operation, name, f"http.{name_shown(name)}")
    for parameter, name, value in _sent(request.body, operation):
        if parameter is None or parameter.primitive:
            understood.append((name, _as_text(value)))
        if parameter is None:
            search.append((name, value))
        else:
            values.setdefault(name, []).append(value)
    _check_counts(operation, values)
    return Arguments({name: tuple(each) for name, each in values.items()}, tuple(search), tuple(understood))


def _from_text(parameter: Parameter, text: str) -> Any:
    where = f"http.{parameter.name}"
    if not parameter.primitive:
        raise invalid(f"{parameter.name} is a {parameter.type}: send it in the body, as Parameters", where, code="not-supported")
    value: Any = text
    if parameter.type in _WHOLES and _WHOLE.fullmatch(text):
        value = int(text)
    elif parameter.type == "boolean":
        value = _BOOLEANS.get(text, text)
    elif parameter.type == "instant":
        value = text.replace(" ", "+")  # a + that nobody percent-encoded arrives as a space
    return _valid(parameter, value, where)


def _valid(parameter: Parameter, value: Any, where: str) -> Any:
    if parameter.type == "code" and isinstance(value, str) and valid("string", value):
        return value  # _type holds several, with commas between
    if parameter.type == "decimal" and isinstance(value, str):
        raise invalid(f"{parameter.name} is a number: send it in the body, as Parameters", where, code="not-supported")
    if not valid(parameter.type, value):
        raise invalid(f"The value of {parameter.name} is no {parameter.type}", where, code="value")
    return value


def _sent(body: Any, operation: Operation) -> Iterator[tuple[Parameter | None, str, Any]]:
    if body is None:
        return
    if not isinstance(body, dict):
        raise invalid("The body has to be a Parameters resource, a JSON object", "Parameters", code="structure")
    if body.get("resourceType") != "Parameters":
        yield _resource_itself(body, operation)
        return
    sent = body.get("parameter", [])
    if not isinstance(sent, list):
        raise invalid("Parameters.parameter is a list", "Parameters.parameter", code="structure")
    for number, each in enumerate(sent):
        place = f"Parameters.parameter[{number}]"
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, str):
            raise invalid("A parameter has a name", f"{place}.name", code="required")
        parameter = operation.parameters.get(name)
        value = _value(each, parameter, name, place)
        if parameter is None and not (operation.searches and isinstance(value, str)):
            raise _unknown(operation, name, f"{place}.name")
        yield parameter, name, value


def _resource_itself(body: dict[str, Any], operation: Operation) -> tuple[Parameter, str, Any]:
    """https://hl7.org/fhir/R4/operations.html#request: the only resource among the parameters may be sent as it is."""
    resources = [each for each in operation.parameters.values() if each.type in ("Resource", body.get("resourceType"))]
    if len(resources) != 1:
        raise invalid("The body has to be a Parameters resource", "Parameters.resourceType")
    return resources[0], resources[0].name, body


def _value(sent: dict[str, Any], parameter: Parameter | None, name: str, place: str) -> Any:
    kind = parameter.type if parameter is not None else "string"
    if kind == "Resource" or (isinstance(sent.get("resource"), dict) and sent["resource"].get("resourceType") == kind):
        resource = sent.get("resource")
        if not isinstance(resource, dict):
            raise invalid(f"The parameter {name} is a resource", f"{place}.resource", code="required")
        return resource
    element = next((key for key in sent if key.startswith("value")), None)
    if element is None:
        raise invalid("The parameter has no value", place, code="required")
    value = sent[element]
    if parameter is None:
        return value
    if parameter.primitive:
        return _valid(parameter, value, f"{place}.{name_shown(element)}")
    if element != f"value{kind}" or not isinstance(value, dict):
        raise invalid(f"The parameter {name} is a {kind}", place, code="value")
    return value


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_counts(operation: Operation, values: Mapping[str, Sequence[Any]]) -> None:
    for name, parameter in operation.parameters.items():
        found = len(values.get(name, ()))
        if parameter.required and not found:
            raise invalid(f"${operation.code} needs the parameter {name}", f"Parameters.parameter.where(name='{name}')", code="required")
        if found > 1 and not parameter.many:
            raise invalid(f"The parameter {name} is given more than once", f"Parameters.parameter.where(name='{name}')", code="invalid")


def _unknown(operation: Operation, name: str, place: str) -> FhirError:
    known = ", ".join(operation.parameters) or "none"
    return FhirError(
        Issue("not-supported", f"${operation.code} has no parameter {name_shown(name)}; it takes: {known}", (place,)), status=400
    )
