"""Secrets that must be read again (signing keys, seeds of authenticator apps) are stored sealed, never in clear.

AES-GCM-SIV, like the links of pages: https://www.rfc-editor.org/rfc/rfc8452. The context says what a secret is for and whose:
sealed for one, it opens for no other.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class Unreadable(Exception):  # noqa: N818 - a state of what is stored
    """What is sealed was sealed with another secret or for another purpose, or was changed."""


class Sealer:
    """Seals with a key derived from the server's secret (setting `secret_key`, or one kept in the database)."""

    def __init__(self, secret: bytes) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=b"tsunagi sealing").derive(secret)
        self._cipher = AESGCMSIV(key)

    def seal(self, secret: bytes, context: bytes) -> bytes:
        """Seal a secret for this purpose."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Give what was sealed for this purpose. Raises Unreadable."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
        except (InvalidTag, ValueError):
            raise Unreadable("a stored secret cannot be opened: was the setting secret_key changed?") from None
