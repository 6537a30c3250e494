"""The root of the network: two files in a folder that is kept offline. Its key is never in the database.

The key is PKCS#8, encrypted with a passphrase (PBES2, AES-256), so that openssl reads it too.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key

from fhir_server.auth.certificates.making import Issuer, new_root
from fhir_server.outcome import invalid

SHORTEST: Final = 16
_CERTIFICATE: Final = "root.pem"
_KEY: Final = "root-key.pem"


def make_root(folder: Path, network: str, passphrase: str, now: datetime) -> Issuer:
    """Make the root and write it into the folder. Raises FhirError where one is there, or the passphrase is short."""
    if len(passphrase) < SHORTEST:
        raise invalid(f"The passphrase of the root needs at least {SHORTEST} characters: everything rests on it")
    if (folder / _CERTIFICATE).exists() or (folder / _KEY).exists():
        raise invalid("The folder holds a root already; it is not overwritten")
    root = new_root(network, now)
    encrypted = BestAvailableEncryption(passphrase.encode())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(folder / _KEY, root.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encrypted), 0o600)
    _write(folder / _CERTIFICATE, root.certificate.public_bytes(Encoding.PEM), 0o644)
    return root


def read_root(folder: Path, passphrase: str) -> Issuer:
    """Read the root from its folder. Raises FhirError where it cannot be used."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / _CERTIFICATE).read_bytes())
        key = load_pem_private_key((folder / _KEY).read_bytes(), passphrase.encode())
    except OSError:
        raise invalid(f"The folder does not hold {_CERTIFICATE} and {_KEY}, or they cannot be read") from None
    except (ValueError, TypeError):
        raise invalid("The key of the root does not open with this passphrase") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise invalid(f"{_KEY} does not belong to {_CERTIFICATE}")
    return Issuer(certificate, key)


def _write(path: Path, content: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
