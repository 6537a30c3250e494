"""What every interaction is given beside its request and its repository: the definitions at work."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import TypeAlias

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.interactions.table import Served
from fhir_server.search.limits import Limits
from fhir_server.search.paging import Tokens
from fhir_server.search.parameters import Parameters
from fhir_server.store.repository import Repository
from profiles.definitions import Definitions
from profiles.validator import Validator

BASE = b"@base@"


@dataclass(frozen=True, slots=True)
class Serving:
    """Made once at start, read by every interaction, never changed.

    `statement` gives the CapabilityStatement of a mode in JSON, with `BASE` where the server's own address belongs. `strict` is the
    handling of unknown search parameters where the client states no preference, `entries` the most that a Bundle may have,
    `deletions` the most that one conditional delete may delete. `tokens` seals the places where pages begin.
    """

    definitions: Definitions
    parameters: Parameters
    validator: Validator
    zone: tzinfo
    limits: Limits
    served: Served
    statement: Callable[[str], bytes]
    handlers: Mapping[str, "Handler"]
    tokens: Tokens
    strict: bool = True
    entries: int = 5000
    deletions: int = 1000


Handler: TypeAlias = Callable[[FhirRequest, Repository, Serving], Awaitable[FhirResponse]]
