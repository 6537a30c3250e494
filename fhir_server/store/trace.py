"""What one interaction was given and has written: whose data, in whose custody, of which type. The audit log tells it."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from fhir_server.exchange import FhirRequest, Version

MOST_NAMED: Final = 20
"""References that are kept by name; of the others only how many of which type."""


class Part(NamedTuple):
    """An interaction inside of another one, as the entries of a batch are: what was asked, with which status it ended, what it was given."""

    request: FhirRequest
    status: int
    trace: "Trace"


class Trace:
    """Collects while an interaction runs. `seen` counts by (patient, custodian, type), empty strings where there is none."""

    __slots__ = ("parts", "seen", "what", "written")

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str, str]] = Counter()
        self.what: list[str] = []
        self.written: list[str] = []
        self.parts: list[Part] = []

    def given(self, versions: Iterable[Version]) -> None:
        """Learn of what was given out."""
        for version in versions:
            self._count(version)
            if len(self.what) < MOST_NAMED:
                self.what.append(version.reference)

    def wrote(self, versions: Iterable[Version]) -> None:
        """Learn of what was written, or was left as it is."""
        for version in versions:
            if version.version > 0:
                self._count(version)
                self.written.append(f"{version.reference}/_history/{version.version}")

    def _count(self, version: Version) -> None:
        custodian = version.custodian or ""
        for patient in version.patients or ("",):
            self.seen[patient, custodian, version.type] += 1
