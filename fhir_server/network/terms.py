"""What the network has agreed on: the settings that its own operations follow."""

from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Terms:
    """`name` is the network's name, `zone` what dates without a time are meant in."""

    name: str = "Tsunagi"
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Tokyo"))
