"""What every write has in common: the body is the resource that the address says, valid, and findable.

https://hl7.org/fhir/R4/http.html#create
https://hl7.org/fhir/R4/http.html#update
"""

import uuid
from typing import Any

from fhir_server.exchange import Resource
from fhir_server.interactions.serving import Serving
from fhir_server.interactions.table import ID
from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.entries import entries
from fhir_server.store.custody import untagged
from fhir_server.store.repository import Prepared


def new_id() -> str:
    """Give an id for a resource that has none."""
    return str(uuid.uuid4())


def resource_of(body: Any, type: str) -> Resource:
    """Give the body as a resource of this type; raises FhirError (400) where it is something else."""
    if not isinstance(body, dict):
        raise invalid(f"The body has to be one {type} resource, a JSON object", type, code="structure")
    found = body.get("resourceType")
    if found is None:
        raise invalid("resourceType is missing", type, code="structure")
    if found != type:
        raise invalid(f"The address asks for a {type}, but resourceType is another one", f"{type}.resourceType")
    return body


def with_id(resource: Resource, id: str) -> Resource:
    """Give the resource with this id, in the place where an id is or belongs."""
    if "id" in resource:
        return {**resource, "id": id}
    return {"resourceType": resource["resourceType"], "id": id, **resource}


def same_id(resource: Resource, id: str) -> Resource:
    """Check that the resource names the id of its address, which an update has to."""
    type = resource["resourceType"]
    found = resource.get("id")
    if found is None:
        raise invalid("An update names the id of the address in the body too", f"{type}.id", code="required")
    if found != id:
        raise invalid("The id in the body is not the id of the address", f"{type}.id", code="value")
    return resource


def prepare(resource: Resource, serving: Serving) -> Prepared:
    """Validate a resource that has its id, and find the entries it will be searched by.

    Raises FhirError with every error the validator found; warnings and information do not hinder.
    """
    resource = untagged(resource)
    found = serving.validator.validate(resource)
    if found:
        errors = [Issue(issue.code, issue.diagnostics, tuple(issue.expression)) for issue in found if issue.severity in {"error", "fatal"}]
        if errors:
            raise FhirError(*errors)
    type, id = resource["resourceType"], resource["id"]
    if not ID.fullmatch(id):
        raise invalid("An id has 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'", f"{type}.id", code="value")
    return Prepared(type, id, resource, entries(resource, serving.parameters, serving.zone))


def inside(failure: FhirError, place: str) -> FhirError:
    """Give a failure of one resource as a failure of the resource at this place of a Bundle.

    `Patient.name[0].family` becomes `Bundle.entry[3].resource.name[0].family` for the place `Bundle.entry[3]`; what
    points to headers and addresses points to the entry's request.
    """
    return FhirError(
        *(Issue(i.code, i.diagnostics, _moved(i.expression, place), i.severity) for i in failure.issues), status=failure.status
    )


def _moved(expressions: tuple[str, ...], place: str) -> tuple[str, ...]:
    if not expressions:
        return (place,)
    return tuple(_move(expression, place) for expression in expressions)


def _move(expression: str, place: str) -> str:
    if expression.startswith("Bundle.entry["):
        return expression
    if expression.startswith("http.body"):
        return f"{place}.resource"
    if expression.startswith("http.") or "?" in expression:
        return f"{place}.request"
    _, dot, rest = expression.partition(".")
    return f"{place}.resource{dot}{rest}"
