"""What a module of this package says about its SS-MIX2 kind (データ種別)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mappers.datatypes.document import Document
from mappers.messages.stays import Stay

ENVELOPE = frozenset(("MSH", "EVN", "PID"))
"""Segments that every mapper looks at: the header and whom the message is about."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How messages of one kind are mapped.

    `events` are its MSH-9.2, `cancels` those among them that take something back, `tolerated` those that careless senders use
    instead. `segments` are looked at, `not_mapped` says of others why they are not. `map_into` gives what the message says
    about an inpatient stay, if anything.
    """

    events: frozenset[str]
    segments: frozenset[str]
    map_into: Callable[[Document], Stay | None]
    not_mapped: Mapping[str, str] = field(default_factory=dict)
    tolerated: frozenset[str] = frozenset()
    cancels: frozenset[str] = frozenset()
