"""What belongs to somebody: CompartmentDefinition as Expression.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Iterable

from fhir_server.outcome import FhirError, Issue, invalid
from fhir_server.search.expression import Expression, Or, WithId
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.reference import to_any


def expression(compartment: str, id: str, type: str, parameters: Parameters) -> Expression:
    """Say which resources of the type are in `Patient/x`: those that one of the compartment's parameters refers to.

    A Patient is in its own compartment. Whether there is such a patient makes no difference. Raises FhirError: 404 where
    there is no such compartment, 400 where the type is not in it.
    """
    if not parameters.compartment(compartment):
        raise FhirError(Issue("not-supported", f"FHIR defines no compartment of a {compartment}", (compartment,)), status=404)
    codes = parameters.compartment(compartment).get(type, ())
    known = parameters.of(type)
    parts = [to_any(known[code], (f"{compartment}/{id}",)) for code in codes if code in known]  # {def} is the resource itself
    if type == compartment:
        parts.insert(0, WithId((id,)))
    distinct = tuple(dict.fromkeys(parts))
    if not distinct:
        raise invalid(f"{type} is not in the compartment of a {compartment}", type, code="not-supported")
    return distinct[0] if len(distinct) == 1 else Or(distinct)


def members(compartment: str, types: Iterable[str], parameters: Parameters) -> tuple[str, ...]:
    """Give those of the types that the compartment holds resources of."""
    codes = parameters.compartment(compartment)
    return tuple(type for type in types if type == compartment or any(code in parameters.of(type) for code in codes.get(type, ())))
