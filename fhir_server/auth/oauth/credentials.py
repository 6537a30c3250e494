"""Codes, refresh tokens and launches: random values that are credentials. What is stored is their SHA-256.

They have 256 random bits, so that a plain hash is as good as a slow one: who sees the database can use none of them (F056).
"""

import hashlib
import secrets
from base64 import urlsafe_b64encode


def fresh() -> str:
    """Give a new value, in letters that every address can carry."""
    return secrets.token_urlsafe(32)


def digest(value: str) -> str:
    """Give what is stored of a value."""
    return urlsafe_b64encode(hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()).rstrip(b"=").decode()


def matches(value: str, stored: str) -> bool:
    """Tell whether this is the value that was stored, in a time that does not depend on it."""
    return secrets.compare_digest(digest(value), stored)
