"""A key and its certificate in one encrypted file, for somebody who makes no key of her own (F049, F050).

https://www.rfc-editor.org/rfc/rfc7292 (PKCS#12)
The key is made here, and forgotten as soon as it is sent; the password is random, and told once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

from fhir_server.auth.certificates.codes import new_code

_ROUNDS = 100_000  # the password is random: more would only slow the import down


@dataclass(frozen=True, slots=True)
class Bundle:
    """A PKCS#12 file and the password that opens it."""

    content: bytes
    password: str

    def __repr__(self) -> str:
        return "Bundle(...)"


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a holder's key."""
    return ec.generate_private_key(ec.SECP256R1())


def bundle(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate, above: Sequence[x509.Certificate], name: str) -> Bundle:
    """Encrypt the key with its certificate and the chain above under a new password."""
    password = new_code()
    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(_ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(SHA256())
        .build(password.encode())
    )
    return Bundle(pkcs12.serialize_key_and_certificates(name.encode(), key, certificate, above, encryption), password)
