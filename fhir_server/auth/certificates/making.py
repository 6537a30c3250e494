"""Makes certificates and revocation lists. Pure: keys and times are given, nothing is stored.

https://www.rfc-editor.org/rfc/rfc5280
Root: ECDSA P-384, 20 years. Issuing authority: P-384, 5 years, no authority below it. A holder's: 1 to 2 years, for clientAuth only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes, CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fhir_server.auth.certificates.holder import Holder

ROOT_YEARS: Final = 20
AUTHORITY_YEARS: Final = 5
_YEAR: Final = timedelta(days=365)
_SKEW: Final = timedelta(minutes=5)  # of a PC's clock behind the server's


@dataclass(frozen=True, slots=True)
class Issuer:
    """A certificate that signs others, its key, and where what it issued finds its revocation list and its own certificate."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    crl_url: str | None = None
    ca_url: str | None = None


def new_root(network: str, now: datetime, years: int = ROOT_YEARS) -> Issuer:
    """Make the network's root."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = _name(network, f"{network} Root CA")
    builder = _builder(name, key.public_key(), now, now + years * _YEAR).issuer_name(name)
    builder = _as_authority(builder, key.public_key(), path_length=1)
    return Issuer(builder.sign(key, SHA384()), key)


def new_authority(network: str, root: Issuer, now: datetime, years: int = AUTHORITY_YEARS) -> Issuer:
    """Make an authority below the root, which issues to holders."""
    key = ec.generate_private_key(ec.SECP384R1())
    ends = min(now + years * _YEAR, root.certificate.not_valid_after_utc)
    builder = _builder(_name(network, f"{network} Issuing CA {now:%Y%m%d}"), key.public_key(), now, ends)
    builder = _as_authority(builder, key.public_key(), path_length=0)
    return Issuer(_below(builder, root).sign(root.key, SHA384()), key)


def new_certificate(
    issuer: Issuer, public_key: CertificatePublicKeyTypes, holder: Holder, *, network: str, number: str, now: datetime, ends: datetime
) -> x509.Certificate:
    """Make a holder's certificate; it never outlives its issuer's."""
    subject = _name(network, f"{network} {number}", holder.facility)
    builder = _builder(subject, public_key, now, min(ends, issuer.certificate.not_valid_after_utc))
    names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in holder.uris])
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(names, critical=False)
    )
    return _below(builder, issuer).sign(issuer.key, SHA384())


@dataclass(frozen=True, slots=True)
class Revoked:
    """One entry of a revocation list."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags


def new_revocation_list(issuer: Issuer, revoked: Sequence[Revoked], now: datetime, lasts: timedelta) -> x509.CertificateRevocationList:
    """Make the list of what this issuer revoked; its number is the time, so that it only grows."""
    builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, now - _SKEW, now + lasts)
    for each in revoked:
        entry = x509.RevokedCertificateBuilder(each.serial, each.at)
        if each.reason is not x509.ReasonFlags.unspecified:
            entry = entry.add_extension(x509.CRLReason(each.reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    builder = builder.add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
    builder = builder.add_extension(_identifier_of(issuer), critical=False)
    return builder.sign(issuer.key, SHA384())


def _builder(subject: x509.Name, key: CertificatePublicKeyTypes, now: datetime, ends: datetime) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder(subject_name=subject, public_key=key, serial_number=x509.random_serial_number())
    builder = builder.not_valid_before(now - _SKEW).not_valid_after(ends)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _as_authority(builder: x509.CertificateBuilder, key: CertificateIssuerPublicKeyTypes, path_length: int) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    builder = builder.add_extension(constraints, critical=True).add_extension(_usage(signs_certificates=True), critical=True)
    return builder.add_extension(identifier, critical=False) if path_length else builder


def _below(builder: x509.CertificateBuilder, issuer: Issuer) -> x509.CertificateBuilder:
    builder = builder.issuer_name(issuer.certificate.subject).add_extension(_identifier_of(issuer), critical=False)
    if issuer.crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(issuer.crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if issuer.ca_url:
        access = x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(issuer.ca_url))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    return builder


def _identifier_of(issuer: Issuer) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _name(network: str, common: str, facility: str | None = None) -> x509.Name:
    unit = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, facility)] if facility else []
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, network)
    return x509.Name([organization, *unit, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
