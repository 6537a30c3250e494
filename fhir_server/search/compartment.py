"""What belongs to somebody: CompartmentDefinition as Expression.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from fhir_server.outcome import invalid
from fhir_server.search.expression import Expression, Or, WithId
from fhir_server.search.parameters import Parameters
from fhir_server.search.types.reference import to_any


def expression(compartment: str, id: str, type: str, parameters: Parameters) -> Expression:
    """Say which resources of the type are in `Patient/x`: those that one of the compartment's parameters refers to.

    A Patient is in its own compartment. Raises FhirError (400) where the type is in no such compartment.
    """
    codes = parameters.compartment(compartment).get(type, ())
    known = parameters.of(type)
    parts = [to_any(known[code], (f"{compartment}/{id}",)) for code in codes if code in known]
    if type == compartment:
        parts.insert(0, WithId((id,)))
    distinct = tuple(dict.fromkeys(parts))
    if not distinct:
        raise invalid(f"{type} is not in the compartment of a {compartment}", type, code="not-supported")
    return distinct[0] if len(distinct) == 1 else Or(distinct)
