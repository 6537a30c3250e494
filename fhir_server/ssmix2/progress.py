"""Shows an import's progress: a bar with a rate and what is left on a terminal, a line now and then elsewhere."""

import time
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from fhir_server.ssmix2.report import REASONS_SHOWN, Report

SECONDS_BETWEEN_LINES = 10.0
STATES = (
    ("imported", "imported 取込"),
    ("unchanged", "unchanged 変更なし"),
    ("deleted", "deleted 削除"),
    ("past", "past 旧版"),
    ("unmapped", "not mapped yet 未対応"),
    ("refused", "refused 拒否"),
)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} files/s" if task.speed else "")


class Bar:
    """A progress bar where a person looks, plain lines where a log is written."""

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream)
        self.bar = Progress(
            TextColumn("SS-MIX2"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(),
            console=self.console,
            speed_estimate_period=10,
        )
        self.task = self.bar.add_task("import", total=None)
        self.total = self.done = self.refused = 0
        self.started = self.said = 0.0

    def start(self, total: int) -> None:
        """Begin with this many files ahead."""
        self.total = total
        self.started = self.said = time.monotonic()
        if self.console.is_terminal:
            self.bar.update(self.task, total=total)
            self.bar.start()

    def advance(self, result: object) -> None:
        """One file more is done."""
        del result
        self.done += 1
        if self.console.is_terminal:
            self.bar.advance(self.task)
        elif time.monotonic() - self.said >= SECONDS_BETWEEN_LINES:
            self.said = time.monotonic()
            rate = self.done / (self.said - self.started)
            self.console.print(f"{self.done:,} of {self.total:,} files, {rate:,.0f} files/s, {(self.total - self.done) / rate:,.0f} s left")

    def stop(self) -> None:
        """Nothing comes any more."""
        if self.console.is_terminal:
            self.bar.stop()


def tell(report: Report, stream: TextIO) -> None:
    """Print the report: files by kind and state, resources, what was refused and why."""
    console = Console(file=stream, width=None if stream.isatty() else 120, highlight=False)
    console.print(_table(report))
    resources = report.resources
    console.print(
        f"Resources リソース: {resources['created']:,} created 新規, {resources['updated']:,} updated 更新, "
        f"{resources['unchanged']:,} unchanged 変更なし, {resources['deleted']:,} deleted 削除"
    )
    for text, number in report.warnings.most_common(REASONS_SHOWN):
        console.print(f"  noticed {number:,} ×: {text}", markup=False, soft_wrap=True)
    for result in report.refused[:REASONS_SHOWN]:
        segment = f" [{result.segment}]" if result.segment else ""
        console.print(f"  refused {result.path}{segment}: {result.reason}", markup=False, soft_wrap=True)
    if len(report.refused) > REASONS_SHOWN:
        console.print(f"  ... and {len(report.refused) - REASONS_SHOWN:,} more (--report FILE lists all)")
    rate = report.total / report.seconds if report.seconds else 0.0
    console.print(f"{report.total:,} files in {report.seconds:,.1f} s ({rate:,.0f} files/s), {len(report.refused):,} refused")


def _table(report: Report) -> Table:
    table = Table(title="SS-MIX2 import 取込結果", title_justify="left")
    table.add_column("kind データ種別")
    for _, heading in STATES:
        table.add_column(heading, justify="right")
    for kind in sorted({kind for kind, _ in report.files}):
        table.add_row(kind, *(f"{report.files[kind, state]:,}" if report.files[kind, state] else "" for state, _ in STATES))
    return table
