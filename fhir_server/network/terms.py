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
    consent_ages: tuple[int, ...] = (15, 18)
    """The birthdays at which a child for whom a proxy agreed is asked itself (L19); a signature of its own counts from the first."""
    consent_hours: int = 4
    """Office hours from a form's arrival to its publication that the secretariat promises (F074)."""
    opt_out_days: int = 14
    """How long a facility that is added to a general consent (一括) waits, so that the patient may say no (L18)."""
    portal: str = ""
    """Address of the portal on the internet, in plain e-mail to facilities."""
    portal_inside: str = ""
    """Its address on the closed EHR network, where that is another one."""
    emergency_minutes: int = 60
    """How long an emergency access lasts at most, and unless less is asked for."""
    review_days: int = 7
    """In how many days after its end an emergency or a disaster has to be reviewed."""
    disaster_days: int = 14
    """How long a disaster lasts at most before it has to be proposed again."""
