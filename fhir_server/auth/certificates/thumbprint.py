"""How a certificate is named in tokens and records: https://www.rfc-editor.org/rfc/rfc8705#section-3.1 (x5t#S256)."""

import hashlib
from base64 import urlsafe_b64encode


def thumbprint(der: bytes) -> str:
    """Give the SHA-256 of a certificate (DER) in base64url without padding."""
    return urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
