"""The functions of FHIRPath, by the chapters of the specification.

https://hl7.org/fhirpath/N1/#functions, https://hl7.org/fhir/R4/fhirpath.html#functions
"""

from collections.abc import Mapping
from types import MappingProxyType

from profiles.fhirpath.functions import boundaries, collections, conversion, fhir, iteration, mathematics, strings
from profiles.fhirpath.functions.function import Function

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    boundaries.FUNCTIONS
    | collections.FUNCTIONS
    | conversion.FUNCTIONS
    | fhir.FUNCTIONS
    | iteration.FUNCTIONS
    | mathematics.FUNCTIONS
    | strings.FUNCTIONS
)
"""All functions by name."""
