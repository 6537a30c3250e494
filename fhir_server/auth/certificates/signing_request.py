"""What somebody sends who made a key of her own: a PKCS#10 request.

https://www.rfc-editor.org/rfc/rfc2986
Only its public key is used: what it says of its subject, or wishes for its extensions, is ignored (F049).
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fhir_server.outcome import invalid

LONGEST: Final = 16 * 1024
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_RSA: Final = (3072, 8192)  # bits; below is too weak until 2031 and later (CRYPTREC), above costs us too much

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def requested_key(text: bytes) -> PublicKey:
    """Give the public key of a request (PEM), whose sender has shown that the private one is hers. Raises FhirError."""
    if len(text) > LONGEST:
        raise invalid(f"A certificate signing request has at most {LONGEST} bytes")
    try:
        request = x509.load_pem_x509_csr(text)
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm, TypeError):
        raise invalid("This is no certificate signing request in PEM (-----BEGIN CERTIFICATE REQUEST-----)") from None
    return _proven(request, _strong(key))


def _strong(key: object) -> PublicKey:
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, _CURVES):
            raise invalid("The key is on a curve that is not accepted: use P-256, P-384 or P-521")
        return key
    if isinstance(key, rsa.RSAPublicKey):
        if not _RSA[0] <= key.key_size <= _RSA[1]:
            raise invalid(f"An RSA key has {_RSA[0]} to {_RSA[1]} bits; better is an elliptic curve (P-256)")
        return key
    raise invalid("The key is of a kind that is not accepted: use an elliptic curve (P-256, P-384, P-521) or RSA")


def _proven(request: x509.CertificateSigningRequest, key: PublicKey) -> PublicKey:
    try:
        proven = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm):
        proven = False
    if not proven:
        raise invalid("The request is not signed with the private key that belongs to its public key")
    return key
