"""What the network has agreed on: the settings that its own operations follow."""

from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Terms:
    """`name` is the network's name, `zone` what dates without a time are meant in."""

    name: str = "Tsunagi"
    zone: tzinfo = field(default_factory=lambda: ZoneInfo("Asia/Tokyo"))
    automatic_linking: bool = False
    """Whether certain matches of patients link by themselves; otherwise they wait for the secretariat like all others."""
    regional_id_prefix: str = "37"
    """What each new 地域患者ID begins with; its 10 digits go on with a number counted from `regional_id_start`."""
    regional_id_start: int = 1
