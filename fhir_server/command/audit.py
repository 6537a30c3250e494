"""`tsunagi audit`: what happened, and the proof that nobody changed it."""

import argparse
import asyncio
import json
import sys
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fhir_server.command import CommandFailed
from fhir_server.command.administering import command, describe, next_step, show
from fhir_server.settings import Settings, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fhir_server.audit.anchor import Exported
    from fhir_server.audit.log import Log
    from fhir_server.audit.verifying import Report

Result = TypeVar("Result")

_SHOWN = 50
_EXAMPLES = """\
examples:
  tsunagi audit verify                          find every byte that was changed, removed or added / 監査記録の検証
  tsunagi audit anchor --output anchor.json     a signed statement of how far the log has come: keep it elsewhere / アンカーの書き出し
  tsunagi audit verify --anchor anchor.json     also find that the end was removed / 保管したアンカーと照合する検証
  tsunagi audit status                          how far it has come, and the public key / 状態の表示
  tsunagi audit export --month 2026-03 --output march.ndjson    AuditEvents, one a line / AuditEvent の書き出し
  tsunagi audit prune                           what is older than TSUNAGI_AUDIT_YEARS (5; never below 1); --yes removes it / 保存期間を過ぎた記録の削除

Each process of the server writes a chain of batches, each bound to the one before by its hash; every minute an anchor is signed over
all chains. With the setting secret_key the key that signs is out of reach of whoever has the database. An anchor that is kept
elsewhere (another machine, paper) also proves that nothing after the fact was cut off. Exit status: 0 as it was written, 1 it is not.
各プロセスの記録はハッシュで連鎖し、毎分アンカーに署名します。アンカーを別の場所に保管すると、末尾の削除も検出できます。
終了コード: 0 は正常、1 は改変などの検出。
"""


def verify(arguments: argparse.Namespace) -> int:
    """Verify the whole log; 0 where it is as it was written, else 1."""
    kept = _kept(arguments.anchor) if arguments.anchor is not None else None
    report = _on_log(arguments, lambda log, _: _verified(log, kept))
    print(f"{report.anchors:,} anchors, {report.chains:,} chains, {report.batches:,} batches, {report.events:,} events")
    print(f"after the newest anchor / 最新のアンカー以後: {report.unanchored:,} batches")
    if report.pruned:
        print(f"removed when their time was over, as signed statements say / 保存期間経過による削除: {report.pruned:,} events")
    for finding in report.findings[:_SHOWN]:
        print(f"! {finding.place}: {finding.english} / {finding.japanese}")
    more = len(report.findings) - _SHOWN + report.more
    if more > 0:
        print(f"! ... and {more:,} more / ほか {more:,} 件")
    print(_OK if report.ok else _NOT_OK)
    if not report.ok:
        next_step(
            "keep the database as it is, and a copy of it / データベースの現状を保全する",
            "compare with a backup; tell the secretariat / バックアップと照合し、事務局へ連絡する",
        )
    return 0 if report.ok else 1


_OK = "OK: the audit log is as it was written / 監査記録は書き込まれたままの状態です"
_NOT_OK = "NOT OK: the audit log is not as it was written / 監査記録に改変・欠落があります"


def anchor(arguments: argparse.Namespace) -> int:
    """Sign how far the log has come, and write a copy to be kept elsewhere."""
    copy = _on_log(arguments, _anchored)
    if copy is None:
        raise CommandFailed("nothing has been recorded yet / まだ記録がありません", status=1)
    if arguments.output is None:
        sys.stdout.buffer.write(copy)
        return 0
    _write(arguments.output, copy)
    said = json.loads(copy)
    print(f"Anchor {said['number']} of {said['at']} is in {arguments.output} / アンカーを書き出しました")
    next_step("keep it on another machine / 別の機器で保管する", f"tsunagi audit verify --anchor {arguments.output}")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Show how far the log has come."""
    rows = _on_log(arguments, _status)
    show(("", ""), rows)
    return 0


def prune(arguments: argparse.Namespace) -> int:
    """Remove what is older than the network keeps; without --yes only say what that is."""
    if arguments.yes:
        removed = _on_log(arguments, _pruned)
        print(f"{removed[0]:,} batches with {removed[1]:,} events from before {removed[2]} are removed / 削除しました")
        next_step("tsunagi audit verify", "tsunagi audit anchor --output FILE")
        return 0
    count, until = _on_log(arguments, _old)
    print(f"{count:,} batches are from before {until} / これより前の記録: {count:,} 件")
    next_step(f"tsunagi audit export --until {until} --output FILE    keep them elsewhere / 別に保管する", "tsunagi audit prune --yes")
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write events as AuditEvents in NDJSON, oldest first."""
    if arguments.output is None:
        _on_log(arguments, lambda log, settings: _exported(log, arguments, settings, sys.stdout.buffer.write))
        return 0
    from fhir_server.command.private_files import new_file  # noqa: PLC0415 - `--help` shall not wait for it

    with new_file(arguments.output) as file:
        count = _on_log(arguments, lambda log, settings: _exported(log, arguments, settings, file.write))
    print(f"{count:,} events are in {arguments.output} / 書き出しました")
    return 0


# -- what is done -------------------------------------------------------------------------------------------------------


def _on_log(arguments: argparse.Namespace, work: "Callable[[Log, Settings], Awaitable[Result]]") -> Result:
    """Do the work on the log of the settings' database, beside a running server or without one. Raises CommandFailed."""
    from fhir_server import app, observability  # noqa: PLC0415 - `--help` shall not wait for it
    from fhir_server.auth.sealing import Unreadable  # noqa: PLC0415
    from fhir_server.command.database import open_for  # noqa: PLC0415
    from fhir_server.outcome import FhirError  # noqa: PLC0415

    settings = load(data=arguments.data)
    observability.configure("warning", requests=False)

    async def done(uri: str) -> Result:
        async with _opened(settings, uri) as log:
            return await work(log, settings)

    with open_for(settings, "tsunagi audit", share=True) as database:
        try:
            return asyncio.run(done(database.uri))
        except Unreadable:
            raise CommandFailed("the key of the audit log cannot be opened: was the setting secret_key changed?", status=1) from None
        except FhirError as failure:
            raise CommandFailed(str(failure), status=1) from None
        except app.Unsuitable as failure:
            raise CommandFailed(str(failure), status=3) from None


@asynccontextmanager
async def _opened(settings: Settings, uri: str) -> "AsyncIterator[Log]":
    """Open the log alone: nothing else of the server is needed, nor begun."""
    from fhir_server.app.store import connect  # noqa: PLC0415
    from fhir_server.audit.keys import open_pens  # noqa: PLC0415
    from fhir_server.audit.log import Log  # noqa: PLC0415
    from fhir_server.auth.sealing import Sealer  # noqa: PLC0415
    from fhir_server.store.audit_log import AuditStore  # noqa: PLC0415
    from fhir_server.store.records import Shelf  # noqa: PLC0415
    from fhir_server.store.secrets import kept_secret  # noqa: PLC0415

    mongo = await connect(settings, uri)
    try:
        shelf = Shelf(mongo.database, settings.query_time)
        secret = settings.secret_key.encode() if settings.secret_key else await kept_secret(mongo.database, "sealing")
        store = AuditStore(mongo.database, settings.query_time)
        await store.ensure()
        yield Log(store, await open_pens(shelf, Sealer(secret), shelf.clock), shelf.clock)
    finally:
        await mongo.close()


async def _verified(log: "Log", kept: "Exported | None") -> "Report":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    from fhir_server.audit.verifying import verify as verified  # noqa: PLC0415

    columns = (TextColumn("verify / 検証"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("verify", total=None)
        return await verified(log.store, log.pens, kept, lambda done, total: bar.update(task, completed=done, total=total))


async def _anchored(log: "Log", settings: Settings) -> bytes | None:
    from fhir_server.audit.anchor import exported, opened  # noqa: PLC0415

    await log.anchor()
    stored = await log.store.newest_anchor()
    made = opened(stored, log.pens) if stored is not None else None
    pen = log.pens.of(made.key) if made is not None else None
    if stored is None or made is None or pen is None:
        return None
    return exported(stored, made, pen, _time(made.at, settings))


async def _status(log: "Log", settings: Settings) -> list[tuple[str, str]]:
    from fhir_server.audit.anchor import opened, shown  # noqa: PLC0415
    from fhir_server.audit.keys import fingerprint  # noqa: PLC0415

    stored = await log.store.newest_anchor()
    made = opened(stored, log.pens) if stored is not None else None
    newest = (
        f"{made.number} ({_time(made.at, settings)})"
        if made is not None
        else "none / なし"
        if stored is None
        else "not genuine / 真正でない"
    )
    return [
        ("batches / 記録のまとまり", f"{await log.store.count():,}"),
        ("chains / チェーン", f"{len(await log.store.chains()):,}"),
        ("newest anchor / 最新のアンカー", newest),
        ("kept for / 保存年数", f"{settings.audit_years}"),
        ("public key (Ed25519) / 公開鍵", shown(log.pens.newest.public)),
        ("fingerprint / フィンガープリント", fingerprint(log.pens.newest.public)),
        (
            "key sealed with / 鍵の保護",
            "secret_key" if settings.secret_key else "a secret in the database: set secret_key / データベース内の秘密",
        ),
    ]


async def _pruned(log: "Log", settings: Settings) -> tuple[int, int, str]:
    from fhir_server.audit.pruning import prune as pruned  # noqa: PLC0415

    removed = await pruned(log.store, log.pens, lambda: datetime.now(settings.zone), settings.audit_years)
    return removed.batches, removed.events, f"{removed.until:%Y-%m-%d}"


async def _old(log: "Log", settings: Settings) -> tuple[int, str]:
    from fhir_server.audit.pruning import limit, older  # noqa: PLC0415

    until = limit(datetime.now(settings.zone), settings.audit_years)
    count = sum([1 async for _ in older(log.store, round(until.timestamp() * 1000))])
    return count, f"{until:%Y-%m-%d}"


async def _exported(log: "Log", arguments: argparse.Namespace, settings: Settings, write: "Callable[[bytes], object]") -> int:
    from fhir_server.audit.fhir import version_of  # noqa: PLC0415
    from fhir_server.audit.found_by import Filter  # noqa: PLC0415

    since, until = _span(arguments, settings)
    count = 0
    async for each in log.stream(Filter(since=since, until=until), newest=False):
        write((version_of(each).body or b"") + b"\n")
        count += 1
    return count


def _span(arguments: argparse.Namespace, settings: Settings) -> tuple[int | None, int | None]:
    """Read --month, or --since and --until, both whole days of the server's zone. Raises CommandFailed."""
    try:
        if arguments.month is not None:
            start = datetime.strptime(arguments.month, "%Y-%m").replace(tzinfo=settings.zone)
            end: datetime | None = (start + timedelta(days=32)).replace(day=1) - timedelta(milliseconds=1)
            return _ms(start), _ms(end)
        start_ = _day(arguments.since, settings)
        end = _day(arguments.until, settings)
    except ValueError:
        raise CommandFailed("a month is written as 2026-03, a day as 2026-03-31") from None
    return _ms(start_), _ms(end + timedelta(days=1) - timedelta(milliseconds=1) if end is not None else None)


def _day(text: str | None, settings: Settings) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=settings.zone) if text is not None else None


def _ms(moment: datetime | None) -> int | None:
    return round(moment.timestamp() * 1000) if moment is not None else None


def _time(ms: int, settings: Settings) -> str:
    return datetime.fromtimestamp(ms / 1000, settings.zone).isoformat(timespec="seconds")


def _kept(file: Path) -> "Exported":
    import msgspec  # noqa: PLC0415

    from fhir_server.audit.anchor import read_exported  # noqa: PLC0415

    try:
        return read_exported(file.read_bytes())
    except (OSError, msgspec.MsgspecError):
        raise CommandFailed(f"{file} is no anchor written by: tsunagi audit anchor --output FILE") from None


def _write(file: Path, content: bytes) -> None:
    from fhir_server.command.private_files import replace_file  # noqa: PLC0415

    replace_file(file, content)


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    commands = describe(subparsers, "audit", "verify, anchor, export and prune the audit log / 監査記録の検証・保管", _EXAMPLES)
    verifies = command(commands, "verify", "find every byte that was changed, removed or added / 監査記録の検証", verify)
    verifies.add_argument("--anchor", metavar="FILE", type=Path, help="an anchor that was kept elsewhere / 別に保管したアンカー")
    anchors = command(
        commands, "anchor", "sign how far the log has come, and give a copy to keep elsewhere / アンカーの署名と書き出し", anchor
    )
    anchors.add_argument("--output", metavar="FILE", type=Path, help="file to write (default: standard output) / 出力先")
    command(commands, "status", "show how far the log has come, and its public key / 状態の表示", status)
    prunes = command(commands, "prune", "remove what is older than the network keeps / 保存期間を過ぎた記録の削除", prune)
    prunes.add_argument("--yes", action="store_true", help="remove it; without this, only say what it is / 実際に削除する")
    exports = command(commands, "export", "write events as AuditEvents, one a line / AuditEvent の書き出し", export)
    exports.add_argument("--month", metavar="YYYY-MM", help="of this month / 対象月")
    exports.add_argument("--since", metavar="DATE", help="from this day on / 開始日")
    exports.add_argument("--until", metavar="DATE", help="to the end of this day / 終了日")
    exports.add_argument("--output", metavar="FILE", type=Path, help="new file (default: standard output) / 出力先")
