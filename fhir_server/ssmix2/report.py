"""What an import did: counted by kind while it runs, told at its end."""

from collections import Counter
from dataclasses import asdict, dataclass, field

REASONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Changes:
    """How many resources a file created, updated, left unchanged and deleted."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file.

    `state`: imported, unchanged, past (superseded or deleted, not current), deleted (its document was withdrawn),
    unmapped (a kind that is not mapped yet; it stays where it is) or refused (kept aside). `reason` and `segment` say why a
    file was refused; `warnings` what was noticed in one that was not.
    None of the texts holds personal data; `path` does (patient number) and belongs into the report only.
    """

    path: str
    kind: str
    state: str
    changes: Changes = Changes()
    segment: str | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """The sum of all FileResults; keeps no file names but those refused, so its size does not grow with the import."""

    files: Counter[tuple[str, str]] = field(default_factory=Counter)
    resources: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    refused: list[FileResult] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, result: FileResult) -> None:
        """Count one file."""
        self.files[result.kind, result.state] += 1
        self.resources.update(asdict(result.changes))
        self.warnings.update(result.warnings)
        if result.state == "refused":
            self.refused.append(result)

    def count(self, *states: str) -> int:
        """Count the files in these states."""
        return sum(number for (_, state), number in self.files.items() if state in states)

    @property
    def total(self) -> int:
        """All files seen."""
        return self.files.total()

    def as_json(self) -> dict[str, object]:
        """Give the report as plain data for `--report FILE`."""
        kinds: dict[str, dict[str, int]] = {}
        for (kind, state), number in sorted(self.files.items()):
            kinds.setdefault(kind, {})[state] = number
        return {
            "files": self.total,
            "seconds": round(self.seconds, 3),
            "kinds": kinds,
            "resources": {change: self.resources[change] for change in ("created", "updated", "unchanged", "deleted")},
            "refused": [{"path": r.path, "kind": r.kind, "segment": r.segment, "reason": r.reason} for r in self.refused],
            "warnings": dict(self.warnings.most_common()),
        }
