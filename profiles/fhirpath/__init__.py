"""FHIRPath, as far as search parameters use it.

https://hl7.org/fhir/R4/fhirpath.html, https://hl7.org/fhirpath/N1/

`compile` binds an expression to the resource types it speaks of, once; what comes out is closures over dictionary
look-ups, since every write evaluates all search parameters of its type.
"""

from profiles.fhirpath.compiler import Evaluate, compile  # noqa: A004 - its name in FHIRPath libraries
from profiles.fhirpath.grammar import FhirPathError
from profiles.fhirpath.sinks import Node

__all__ = ["Evaluate", "FhirPathError", "Node", "compile"]
