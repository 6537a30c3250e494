"""What is stored of certificates: those issued, invitations to enrol, and the authorities that issue. Never a holder's private key."""

from datetime import datetime
from typing import Final

import msgspec

from fhir_server.auth.certificates.holder import Holder, HolderKind
from fhir_server.store.records import Kind


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """One issued certificate.

    `id` is its number as people say it, "20260401001" (F010), `serial` the serial number of X.509 (hexadecimal), `thumbprint`
    SHA-256 in base64url, `authority` the id of its issuer. `facility`, `kind` and `holder` tell whose it is. `ends` is the last
    moment written in it; `until` an earlier one, set when it is renewed. `renews` is the number of the one before it.
    """

    id: str
    serial: str
    thumbprint: str
    authority: str
    facility: str
    kind: HolderKind
    holder: str
    issued: datetime
    ends: datetime
    expires: datetime
    renews: str | None = None
    until: datetime | None = None
    revoked: datetime | None = None
    reason: str | None = None

    @property
    def owner(self) -> Holder:
        """Whose it is."""
        return Holder(self.facility, self.kind, self.holder)

    @property
    def last(self) -> datetime:
        """The last moment at which it is good."""
        return self.ends if self.until is None else min(self.until, self.ends)


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """The right to enrol once; `id` is the hash of its token. `renews` is the number of the certificate that it replaces."""

    id: str
    facility: str
    kind: HolderKind
    holder: str
    created: datetime
    expires: datetime
    renews: str | None = None


class IssuingAuthority(msgspec.Struct, frozen=True, kw_only=True):
    """An authority that issues: `id` is its key identifier, `certificate` and those `above` it are DER, `key` is sealed."""

    id: str
    certificate: bytes
    above: tuple[bytes, ...]
    key: bytes
    installed: datetime


class Count(msgspec.Struct, frozen=True):
    """A number that all processes share: `news` counts changes of the register, a day's the certificates issued on it."""

    id: str
    number: int = 0
    expires: datetime | None = None


CERTIFICATES: Final = Kind(
    "auth_certificate",
    Certificate,
    found_by=("serial", "thumbprint", "facility", "renews", "holder"),
    unique=("serial", "thumbprint"),
)
INVITATIONS: Final = Kind("auth_invitation", Invitation, found_by=("facility",))
AUTHORITIES: Final = Kind("auth_authority", IssuingAuthority)
COUNTS: Final = Kind("auth_certificate_count", Count)
KINDS: Final = (CERTIFICATES, INVITATIONS, AUTHORITIES, COUNTS)
