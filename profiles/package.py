"""FHIR definitions as they lie on disk: one folder per package, resources as gzipped NDJSON or as JSON files.

Each folder has a README (source, version, licence) and SHA256SUMS.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

PACKAGES = Path(__file__).parent / "packages"
CORE = "hl7.fhir.r4.core"
NETWORK = "network"


def lines(package: str, name: str) -> list[bytes]:
    """Give the resources of one `.ndjson.gz` file of a package, each as its JSON text."""
    return gzip.decompress((PACKAGES / package / f"{name}.ndjson.gz").read_bytes()).splitlines()


def files(package: str, pattern: str) -> Iterator[bytes]:
    """Give the resources of a package that lie in JSON files of their own, in the order of their names."""
    for path in sorted((PACKAGES / package).glob(pattern)):
        yield path.read_bytes()
