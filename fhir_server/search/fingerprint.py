"""Under which definitions the entries of a resource were found: other ones may find others."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

FORMAT = 5
"""Raised whenever the modules of `types` find other entries in the same resource than before."""


def fingerprint(search_parameters: Iterable[Mapping[str, Any]], zone: str, address: str = "") -> str:
    """Give a short name for these SearchParameters, this time zone and the present form of entries.

    `address` is the public one that the operator has set: references that begin with it are stored as local ones.
    """
    digest = blake2b(f"{FORMAT}|{zone}|{address}|".encode(), digest_size=12)
    for each in sorted(search_parameters, key=lambda definition: str(definition["url"])):
        digest.update(msgspec.json.encode(each, order="deterministic"))
    return digest.hexdigest()
