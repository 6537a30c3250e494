"""A compartment as the store walks it, and what its resources refer to.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache

from fhir_server.exchange import Version
from fhir_server.search.expression import EVERYTHING, NOTHING, And, Expression, ForPatient, Not, OfType, Or, Present, WithId
from fhir_server.search.parameters import Parameters
from fhir_server.store.belonging import Belonging

_references = re.compile(
    rb'"reference":"([A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64})(?:/_history/[A-Za-z0-9.\-]{1,64})?(?:#[^"]*)?"|"url":"(Binary/[A-Za-z0-9.\-]{1,64})"'
).findall


def belonging(compartment: str, id: str, parameters: Parameters, types: frozenset[str] | None = None) -> Belonging:
    """Say what belongs to `Patient/x`, exactly by CompartmentDefinition; of these types only, where they are given."""
    led, named = _ways(compartment, parameters)
    wanted = {code: tuple(type for type in of_code if types is None or type in types) for code, of_code in named}
    return Belonging(
        f"{compartment}/{id}",
        tuple(type for type in led if types is None or type in types),
        {code: of_code for code, of_code in wanted.items() if of_code},
    )


@cache
def _ways(compartment: str, parameters: Parameters) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """The types that the lead parameter puts into the compartment, and for the other parameters the types of each."""
    led: list[str] = []
    named: dict[str, list[str]] = {}
    for type, codes in parameters.compartment(compartment).items():
        known = parameters.of(type)
        for code in codes:
            if code not in known:  # {def}: the owner itself
                continue
            if known[code].leads and compartment == "Patient":
                led.append(type)
            else:
                named.setdefault(code, []).append(type)
    return tuple(dict.fromkeys(led)), tuple((code, tuple(types)) for code, types in named.items())


def references(versions: Iterable[Version]) -> list[str]:
    """Give the local references of these resources, `Type/id`, each once: also those of attachments to a Binary.

    They are found in the stored text: a tenth of the time that its objects would take to be made and walked. A quotation
    mark inside of a string is escaped, so nothing that a string holds looks like an element.
    """
    found: dict[bytes, None] = {}
    for version in versions:
        if version.body is not None:
            found.update(dict.fromkeys(reference or binary for reference, binary in _references(version.body)))
    return [reference.decode() for reference in found]


def may_come_along(references: Sequence[str], patient: str | None, parameters: Parameters) -> Expression:
    """Say which of the resources referred to may be given with a record: never those of another patient's record.

    What belongs to no patient (Practitioner, Organization, Medication, ...) may; the rest where it belongs to `patient`.
    """
    types = sorted({reference.partition("/")[0] for reference in references})
    free = tuple(type for type in types if type != "Patient" and parameters.lead(type) is None)
    own = tuple(type for type in types if parameters.lead(type) is not None)
    if len(free) == len(types):
        return EVERYTHING
    parts: list[Expression] = [OfType(free)]
    if patient is not None and "Patient" in types:
        parts.append(And((OfType(("Patient",)), WithId((patient.partition("/")[2],)))))
    of_patient = ForPatient(patient) if patient is not None else NOTHING
    compartment = parameters.compartment("Patient")
    for type in own:
        lead = parameters.lead(type)
        assert lead is not None
        nobody = (Not(Present(lead)),) if type not in compartment else ()  # a Device of the ward has no patient
        parts.append(And((OfType((type,)), Or((of_patient, *nobody)))))
    return Or(tuple(parts))
