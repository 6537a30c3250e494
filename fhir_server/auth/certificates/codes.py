"""Codes that people copy by hand: tokens of invitations, passwords of PKCS#12 files.

Crockford's alphabet has no letters that are mistaken for digits: https://www.crockford.com/base32.html
"""

import hashlib
import secrets
import unicodedata
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUP: Final = 5
_MISREAD: Final = str.maketrans("OIL", "011", "- \u3000\t\r\n")
_LONGEST: Final = 100


def new_code(groups: int = 5) -> str:
    """Make a random code, 25 bits a group: `7K2QF-0M3ZX-…`."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(groups))


def hashed(code: str) -> str:
    """Give what is stored of a code; how it was spaced, cased or widened does not matter.

    It is random: a quick hash is enough.
    """
    plain = unicodedata.normalize("NFKC", code[:_LONGEST]).upper().translate(_MISREAD)
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
