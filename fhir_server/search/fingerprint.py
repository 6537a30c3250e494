"""Under which definitions the entries of a resource were found: other ones may find others."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

FORMAT = 4
"""Raised whenever the modules of `types` find other entries in the same resource than before."""


def fingerprint(search_parameters: Iterable[Mapping[str, Any]], zone: str) -> str:
    """Give a short name for these SearchParameters, this time zone and the present form of entries."""
    digest = blake2b(f"{FORMAT}|{zone}|".encode(), digest_size=12)
    for each in sorted(search_parameters, key=lambda definition: str(definition["url"])):
        digest.update(msgspec.json.encode(each, order="deterministic"))
    return digest.hexdigest()
