"""What can go wrong with FHIRPath. A message never repeats a value of the resource."""


class FhirPathError(ValueError):
    """The expression is not FHIRPath, speaks of an element that does not exist, or is given values it cannot work on."""


class FhirPathLimitError(FhirPathError):
    """The evaluation costs more than it may: `steps`, the length of a text, the time of a regular expression."""
