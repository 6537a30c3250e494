"""The terminology data on disk: one folder per package, resources as gzipped NDJSON, found by their canonical.

Each folder has a README (source, version, licence) and SHA256SUMS.
"""

import gzip
from pathlib import Path

import msgspec

PACKAGES = Path(__file__).parent / "packages"
CORE = "hl7.fhir.r4.core"


class _Heading(msgspec.Struct):
    url: str


_heading = msgspec.json.Decoder(_Heading).decode


def by_url(package: str, name: str) -> dict[str, bytes]:
    """Give the resources of one `.ndjson.gz` file by their `url`, each as its JSON text."""
    lines = gzip.decompress((PACKAGES / package / f"{name}.ndjson.gz").read_bytes()).splitlines()
    return {_heading(line).url: line for line in lines}
