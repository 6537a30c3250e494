"""The revocation lists, for programs that ask for them: proxies, other servers. The server itself asks its register.

https://www.rfc-editor.org/rfc/rfc5280#section-5
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fhir_server.auth.certificates.authority import Authorities, Opened
from fhir_server.auth.certificates.making import Revoked, new_revocation_list
from fhir_server.auth.certificates.records import Certificate
from fhir_server.auth.certificates.register import Register

LASTS: Final = timedelta(hours=1)
_KEPT: Final = 60.0  # seconds; or until the register changes

_FLAGS: Final = {
    "lost": x509.ReasonFlags.key_compromise,
    "stolen": x509.ReasonFlags.key_compromise,
    "compromised": x509.ReasonFlags.key_compromise,
    "disposed": x509.ReasonFlags.cessation_of_operation,
    "retired": x509.ReasonFlags.cessation_of_operation,
    "transferred": x509.ReasonFlags.affiliation_changed,
    "replaced": x509.ReasonFlags.superseded,
}


class RevocationLists:
    """Makes the list of each authority, at most once a minute unless something changed."""

    def __init__(self, authorities: Authorities, register: Register, pulse: Callable[[], float] = time.monotonic) -> None:
        self._authorities = authorities
        self._register = register
        self._pulse = pulse
        self._made: dict[str, tuple[int, float, bytes]] = {}

    async def of(self, authority: str | None = None) -> bytes | None:
        """Give the list of an authority, or of the one that issues now (DER); None where there is none of that id."""
        opened = await self._authorities.current() if authority is None else await self._authorities.named(authority)
        if opened is None:
            return None
        version, moment, made = self._made.get(opened.id, (-1, 0.0, b""))
        if version != self._register.version or self._pulse() - moment > _KEPT:
            version, made = self._register.version, await self._make(opened)
            self._made[opened.id] = version, self._pulse(), made
        return made

    async def _make(self, opened: Opened) -> bytes:
        now = self._register.now()
        entries = [_entry(each) for each in await self._register.listed() if each.authority == opened.id and now <= each.ends]
        listed = [each for each in entries if each is not None and each.at <= now]
        return new_revocation_list(opened.issuer, listed, now, LASTS).public_bytes(Encoding.DER)


def _entry(certificate: Certificate) -> Revoked | None:
    """Tell when and why a certificate ends before its time; None where it does not."""
    if certificate.revoked is not None:
        reason = _FLAGS.get(certificate.reason or "", x509.ReasonFlags.unspecified)
        return Revoked(int(certificate.serial, 16), certificate.revoked, reason)
    if certificate.until is not None and certificate.until < certificate.ends:
        return Revoked(int(certificate.serial, 16), certificate.until, x509.ReasonFlags.superseded)
    return None
