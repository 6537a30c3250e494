"""Recovery codes: printed once, each good once, in place of a secret question (F055).

A code has 80 random bits: a plain hash of it keeps it, where a password needs a slow one.
https://pages.nist.gov/800-63-4/sp800-63b.html#lookupsecrets
"""

import base64
import hashlib
import hmac
import os
import re
import unicodedata
from collections.abc import Sequence
from typing import Final

HOW_MANY: Final = 10
_BYTES = 10
_MISREAD = str.maketrans("018", "OIB")  # no code has these digits


def new_codes() -> tuple[str, ...]:
    """Make a set of codes, as they are printed: ABCD-EFGH-IJKL-MNOP."""
    return tuple("-".join(re.findall("....", base64.b32encode(os.urandom(_BYTES)).decode())) for _ in range(HOW_MANY))


def hashed(login: str, code: str) -> str:
    """Give what is stored of a person's code."""
    letters = re.sub("[^A-Z0-9]", "", unicodedata.normalize("NFKC", code[:100]).upper()).translate(_MISREAD)
    return hashlib.sha256(f"{login}\0{letters}".encode("utf-8", "surrogatepass")).hexdigest()


def remaining(kept: Sequence[str], login: str, code: str) -> tuple[str, ...] | None:
    """Give the codes that are left once this one is used; None where it is none of them."""
    tried = hashed(login, code)
    rest = tuple(each for each in kept if not hmac.compare_digest(each, tried))
    return rest if len(rest) < len(kept) else None
