"""How somebody gets a certificate: an invitation, made by the secretariat and good once, then a key and its certificate.

NETWORK.md F048-F050, F105. The id of a facility alone gives nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fhir_server.auth.certificates.authority import Authorities, Opened, pem
from fhir_server.auth.certificates.bundle import Bundle, bundle, new_key
from fhir_server.auth.certificates.codes import hashed, new_code
from fhir_server.auth.certificates.holder import Holder
from fhir_server.auth.certificates.making import new_certificate
from fhir_server.auth.certificates.records import COUNTS, INVITATIONS, Certificate, Count, Invitation
from fhir_server.auth.certificates.register import Register
from fhir_server.auth.certificates.signing_request import PublicKey, requested_key
from fhir_server.auth.certificates.thumbprint import thumbprint
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.records import Records, Shelf

INVITED: Final = timedelta(days=7)
LISTED: Final = timedelta(days=400)  # a certificate stays in the register for so long after its end
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """What the network decides: its name in certificates, the zone of their numbers, how long they last.

    `lifetime` is 1 to 2 years. `overlap` is how long the old certificate stays good after it was renewed.
    """

    network: str = "Tsunagi"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Tokyo"))
    lifetime: timedelta = timedelta(days=365)
    overlap: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new certificate with the authorities above it, and what the register says of it."""

    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...]
    record: Certificate

    @property
    def chain(self) -> bytes:
        """The certificate and its issuer as PEM, as a TLS client sends them; the root is not among them."""
        return pem([self.certificate, *self.above[:1]])


class Enrolment:
    """Invites, and issues to who was invited."""

    def __init__(self, shelf: Shelf, authorities: Authorities, register: Register, policy: Policy) -> None:
        self._invitations: Records[Invitation] = shelf.records(INVITATIONS)
        self._counts: Records[Count] = shelf.records(COUNTS)
        self._clock = shelf.clock
        self._authorities = authorities
        self._register = register
        self._policy = policy

    async def invite(self, holder: Holder, renews: str | None = None) -> str:
        """Give a token that enrols this holder once within 7 days. Only its hash is stored. Raises FhirError."""
        holder.checked()
        await self._authorities.current()
        token, moment = new_code(), self._clock()
        invitation = Invitation(
            id=hashed(token),
            facility=holder.facility,
            kind=holder.kind,
            holder=holder.id,
            created=moment,
            expires=moment + INVITED,
            renews=renews,
        )
        await self._invitations.put(invitation)
        return token

    async def withdraw(self, facility: str) -> int:
        """Make all invitations of a facility worthless; tells how many there were."""
        return await self._invitations.remove_all(facility=facility)

    async def enrol(self, token: str, request: bytes) -> Issued:
        """Issue to the key of a signing request (PEM). A request that is refused leaves the token as it was. Raises FhirError."""
        return await self._redeem(token, lambda: requested_key(request))

    async def enrol_bundle(self, token: str) -> tuple[Bundle, Issued]:
        """Make a key and its certificate in one file; the key is not kept. Raises FhirError."""
        key = new_key()
        issued = await self._redeem(token, key.public_key)
        return bundle(key, issued.certificate, issued.above, f"{self._policy.network} {issued.record.id}"), issued

    async def renew(self, old: Certificate, request: bytes) -> Issued:
        """Issue a following certificate to who has shown the old one; that stays good for a while. Raises FhirError."""
        return await self._follow(old.id, old.owner, requested_key(request))

    async def _redeem(self, token: str, key: Callable[[], PublicKey]) -> Issued:
        id = hashed(token)
        if await self._invitations.get(id) is None:
            raise _unknown()
        public_key = key()
        authority = await self._authorities.current()
        invitation = await self._invitations.take(id)
        if invitation is None:
            raise _unknown()
        holder = Holder(invitation.facility, invitation.kind, invitation.holder)
        if invitation.renews is not None:
            return await self._follow(invitation.renews, holder, public_key)
        return await self._issue(authority, public_key, holder)

    async def _follow(self, number: str, holder: Holder, key: PublicKey) -> Issued:
        authority = await self._authorities.current()
        if await self._register.limit(number, self._clock() + self._policy.overlap) is None:
            raise FhirError(Issue("forbidden", "The certificate to be renewed is not good any more: ask the secretariat for an invitation"))
        issued = await self._issue(authority, key, holder, renews=number)
        old = await self._register.find(number)
        if old is None or old.revoked is not None:  # while this one was made
            await self._register.revoke(issued.record.id, "replaced")
            raise FhirError(Issue("forbidden", "The certificate to be renewed has just been revoked"))
        return issued

    async def _issue(self, authority: Opened, key: PublicKey, holder: Holder, renews: str | None = None) -> Issued:
        for _ in range(_TRIES):
            moment = self._clock()
            number = await self._number(moment)
            made = new_certificate(
                authority.issuer, key, holder, network=self._policy.network, number=number, now=moment, ends=moment + self._policy.lifetime
            )
            record = _record(made, number, holder, authority=authority.id, issued=moment, renews=renews)
            if await self._register.add(record):
                return Issued(made, authority.chain, record)
        raise FhirError(Issue("transient", "No number was free for the certificate; try again"))

    async def _number(self, moment: datetime) -> str:
        """Give the next number of the day, "20260401001"."""
        day = f"{moment.astimezone(self._policy.zone):%Y%m%d}"
        await self._counts.add(Count(day, 0, moment + timedelta(days=3)))
        return f"{day}{await self._counts.count_up(day, 'number') or 0:03d}"


def _record(made: x509.Certificate, number: str, holder: Holder, *, authority: str, issued: datetime, renews: str | None) -> Certificate:
    return Certificate(
        id=number,
        serial=f"{made.serial_number:x}",
        thumbprint=thumbprint(made.public_bytes(Encoding.DER)),
        authority=authority,
        facility=holder.facility,
        kind=holder.kind,
        holder=holder.id,
        issued=issued,
        ends=made.not_valid_after_utc,
        expires=made.not_valid_after_utc + LISTED,
        renews=renews,
    )


def _unknown() -> FhirError:
    """What was never a token, was used, or is too old: all look the same."""
    return FhirError(Issue("forbidden", "This is no valid invitation: it may have been used, or be older than 7 days"))
