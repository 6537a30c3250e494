"""What the type modules find in a resource, while it is being gathered.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from dataclasses import dataclass, field

from fhir_server.search.expression import Span


@dataclass(slots=True)
class Found:
    """Index entries, words and spans; duplicates are dropped when they become Entries.

    `base` is this server's own address: references that start with it are local. `texts` tells whether the texts of codes
    are wanted.
    """

    base: str = ""
    texts: bool = True
    entries: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
