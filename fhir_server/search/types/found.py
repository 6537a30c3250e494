"""What the type modules find in a resource, while it is being gathered.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from dataclasses import dataclass, field

from fhir_server.search.expression import Span


@dataclass(slots=True)
class Found:
    """Index entries, words and spans; duplicates are dropped when they become Entries."""

    entries: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
