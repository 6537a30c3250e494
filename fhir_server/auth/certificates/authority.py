"""The authorities below the root that issue to holders: kept in the database, their keys sealed.

The newest one issues; the earlier ones sign their revocation lists until they end.
"""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from fhir_server.auth.certificates.making import Issuer, new_authority
from fhir_server.auth.certificates.records import AUTHORITIES, IssuingAuthority
from fhir_server.auth.sealing import Sealer
from fhir_server.outcome import FhirError, Issue
from fhir_server.store.records import Records, Shelf


@dataclass(frozen=True, slots=True)
class Opened:
    """An authority that is ready to sign; `above` are the certificates from its issuer to the root."""

    id: str
    issuer: Issuer
    above: tuple[x509.Certificate, ...]

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """Its certificate and those above."""
        return self.issuer.certificate, *self.above


class Authorities:
    """The network's issuing authorities; `address` is where `/pki/crl` and `/pki/ca` are found, "https://host"."""

    def __init__(self, shelf: Shelf, sealer: Sealer, address: str) -> None:
        self._records: Records[IssuingAuthority] = shelf.records(AUTHORITIES)
        self._sealer = sealer
        self._address = address.rstrip("/")
        self._clock = shelf.clock
        self._opened: dict[str, Opened] = {}

    async def install(self, network: str, root: Issuer) -> Opened:
        """Make an authority below the root and store it; from now on it issues."""
        made = new_authority(network, root, self._clock())
        id = _id(made.certificate)
        record = IssuingAuthority(
            id=id,
            certificate=made.certificate.public_bytes(Encoding.DER),
            above=(root.certificate.public_bytes(Encoding.DER),),
            key=self._sealer.seal(made.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), _context(id)),
            installed=self._clock(),
        )
        await self._records.put(record)
        return self._open(record)

    async def all(self) -> list[Opened]:
        """Give all that have not ended, the one that issues first."""
        found = sorted(await self._records.find(), key=lambda each: (each.installed, each.id), reverse=True)
        opened = [self._opened.get(each.id) or self._open(each) for each in found]
        return [each for each in opened if each.issuer.certificate.not_valid_after_utc > self._clock()]

    async def current(self) -> Opened:
        """Give the one that issues. Raises FhirError where there is none."""
        found = await self.all()
        if not found:
            raise _missing()
        return found[0]

    async def named(self, id: str) -> Opened | None:
        """Give an authority by its id."""
        return next((each for each in await self.all() if each.id == id), None)

    def _open(self, record: IssuingAuthority) -> Opened:
        key = load_der_private_key(self._sealer.open(record.key, _context(record.id)), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        issuer = Issuer(
            x509.load_der_x509_certificate(record.certificate),
            key,
            f"{self._address}/pki/crl/{record.id}",
            f"{self._address}/pki/ca/{record.id}",
        )
        opened = Opened(record.id, issuer, tuple(x509.load_der_x509_certificate(each) for each in record.above))
        self._opened[record.id] = opened
        return opened


async def stored_authorities(shelf: Shelf) -> bytes:
    """Give the certificates of all authorities that are stored, and of the root, as PEM; no key is opened for it."""
    found = await shelf.records(AUTHORITIES).find()
    return pem(
        [x509.load_der_x509_certificate(der) for der in dict.fromkeys(der for each in found for der in (each.certificate, *each.above))]
    )


def authorities_pem(authorities: list[Opened]) -> bytes:
    """Give the certificates of all authorities and of all above them, each once, as PEM."""
    return pem(list(dict.fromkeys(certificate for each in authorities for certificate in each.chain)))


def pem(certificates: list[x509.Certificate]) -> bytes:
    """Write certificates as PEM, one after the other."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def _id(certificate: x509.Certificate) -> str:
    return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()


def _context(id: str) -> bytes:
    return f"authority {id}".encode()


def _missing() -> FhirError:
    return FhirError(
        Issue("transient", "The network has no certificate authority yet, or it has ended: tsunagi cert intermediate makes one")
    )
