"""FHIRPath: the whole of N1 with FHIR R4's additions, and a fast part of it for search parameters.

https://hl7.org/fhir/R4/fhirpath.html, https://hl7.org/fhirpath/N1/

* `evaluate(expression, resource, definitions, **variables) -> list[Node]`: what an expression gives for a resource; a Node is a FHIR type
  and JSON's value, ("boolean", True), ("HumanName", {...}).
* `predicate(expression, definitions) -> holds(type, value, resource, root)`: a condition compiled once, true, false or None (empty).
* `locate(expression, resource, definitions) -> list[Path]`: where the values lie, as keys and indexes into the JSON; `places` also tells
  types and values. Only for paths that find values (names, indexers, where(), first(), ofType() ...).
* `compile(expression, definitions)`: closures bound to resource types, for the extraction of search parameters on every write.

All raise FhirPathError, with a text for the reader that repeats no value; FhirPathLimitError, one of them, for what costs too much.
"""

from profiles.fhirpath.compiler import Evaluate, compile  # noqa: A004 - its name in FHIRPath libraries
from profiles.fhirpath.error import FhirPathError, FhirPathLimitError
from profiles.fhirpath.evaluate import Holds, evaluate, predicate
from profiles.fhirpath.locate import Path, Place, locate, places
from profiles.fhirpath.sinks import Node

__all__ = [
    "Evaluate",
    "FhirPathError",
    "FhirPathLimitError",
    "Holds",
    "Node",
    "Path",
    "Place",
    "compile",
    "evaluate",
    "locate",
    "places",
    "predicate",
]
