"""How a Binary is stored whose content lies beside it: an extension in the place of its data.

https://hl7.org/fhir/R4/binary.html

The resource stays valid FHIR, and wherever it goes without its content (a Bundle, the history), it says how large that is and what its
digest. The name of the file cannot be guessed; files.py judges whether a resource may refer to it.
"""

import base64
from dataclasses import dataclass
from typing import Any

from fhir_server.exchange import Resource, Version
from profiles.json import decode

EXTENSION = "urn:tsunagi:StructureDefinition:binary-content"


@dataclass(frozen=True, slots=True)
class Kept:
    """Content that is stored as a file: its name, its size in bytes and its SHA-256."""

    file: str
    size: int
    digest: bytes

    def same_content(self, other: "Kept | None") -> bool:
        """Tell whether the other file has the same bytes."""
        return other is not None and (self.size, self.digest) == (other.size, other.digest)


def referring(resource: Resource, kept: Kept) -> Resource:
    """Give a Binary that refers to the file in the place of its data."""
    parts = [
        {"url": "file", "valueString": kept.file},
        {"url": "size", "valueDecimal": kept.size},
        {"url": "sha256", "valueBase64Binary": base64.b64encode(kept.digest).decode()},
    ]
    without = {name: value for name, value in resource.items() if name not in {"data", "_data"}}
    return {**without, "_data": {"extension": [{"url": EXTENSION, "extension": parts}]}}


def bare(resource: Resource) -> Resource:
    """Give a Binary without data and without what refers to a file."""
    return {name: value for name, value in resource.items() if name not in {"data", "_data"}}


def kept_by(resource: Resource) -> Kept | None:
    """Give what a Binary refers to in the place of its data; None where it refers to nothing that can be read."""
    data = resource.get("_data")
    extensions = data.get("extension", ()) if isinstance(data, dict) else ()
    for extension in extensions:
        if isinstance(extension, dict) and extension.get("url") == EXTENSION:
            return _kept(extension.get("extension"))
    return None


def kept_by_version(version: Version) -> Kept | None:
    """Give what a stored Binary refers to in the place of its data."""
    if version.body is None or EXTENSION.encode() not in version.body:
        return None
    return kept_by(decode(version.body))


def _kept(parts: Any) -> Kept | None:
    values = {part.get("url"): part for part in parts if isinstance(part, dict)} if isinstance(parts, list) else {}
    try:
        size = int(values["size"]["valueDecimal"])
        return Kept(str(values["file"]["valueString"]), size, base64.b64decode(values["sha256"]["valueBase64Binary"]))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
