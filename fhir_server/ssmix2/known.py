"""What is known of a document: its Provenance.

Its id follows from the document's key, its targets are the document's resources, and an extension carries the digest of the
file they came from. It is written in the same transaction as the resources, so there is no state beside them that a crash
could leave behind.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mappers import mapping

DIGEST = "urn:tsunagi:ssmix2:digest"


@dataclass(frozen=True, slots=True)
class Known:
    """What is stored of a document: the digest of the file it came from, that file's 発生日時, and its resources."""

    digest: str
    occurred: datetime
    resources: tuple[str, ...]


def read_known(provenance: dict[str, Any]) -> Known | None:
    """Read a stored Provenance; None where it is not as an import has left it."""
    try:
        digest = next(each["valueString"] for each in provenance["extension"] if each["url"] == DIGEST)
        occurred = datetime.fromisoformat(provenance["occurredDateTime"])
    except (KeyError, ValueError, StopIteration):
        return None
    targets = tuple(target["reference"] for target in provenance["target"] if "reference" in target)
    return Known(digest, occurred, (*targets, f"Provenance/{provenance['id']}"))


def digest_of(data: bytes, *, withdrawn: bool = False) -> str:
    """Give the digest of a file as it was mapped; a `withdrawn` one differs, for it may be the current one renamed."""
    return f"{mapping.VERSION}:{hashlib.sha256(data).hexdigest()}" + (":withdrawn" if withdrawn else "")


def with_digest(entries: Iterable[dict[str, Any]], digest: str) -> list[dict[str, Any]]:
    """Write the digest into the Provenance among the entries of a transaction."""
    entries = list(entries)
    for entry in entries:
        resource = entry.get("resource")
        if resource is not None and resource["resourceType"] == "Provenance":
            resource.setdefault("extension", []).append({"url": DIGEST, "valueString": digest})
    return entries
