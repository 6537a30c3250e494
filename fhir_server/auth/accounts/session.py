"""A person's session at the login pages: who it is, how she proved it, for which facility."""

from datetime import datetime
from typing import Final

import msgspec

from fhir_server.store.records import Kind


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser's session; `id` is the hash of what its cookie holds.

    `account` is the login ID, `factors` how the person proved who she is: "pwd", "otp", "hwk" (RFC 8176), "recovery". It is
    whole once everything that the policy asks for is done: until then it opens nothing but the pages that lead there.
    `organization`, `facility` and `role` are those of the facility chosen (F085). `touched` is the last use, `expires` the
    end by idleness (F060), `until` the end whatever happens. `csrf` is the secret that its forms carry.
    """

    id: str
    account: str
    fhir_user: str
    opened: datetime
    touched: datetime
    expires: datetime
    until: datetime
    csrf: str
    factors: tuple[str, ...] = ()
    whole: bool = False
    organization: str | None = None
    facility: str | None = None
    role: str | None = None

    @property
    def is_two_factor(self) -> bool:
        """Tell whether more than the password was proved."""
        return not {"otp", "hwk", "recovery"}.isdisjoint(self.factors)


SESSIONS: Final = Kind("auth_session", Session, found_by=("account", "facility"))
