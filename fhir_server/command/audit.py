"""`tsunagi audit`: what happened, and the proof that nobody changed it."""

import argparse
import json
import sys
from pathlib import Path

from fhir_server.command import CommandFailed
from fhir_server.command.administering import command, describe, next_step, show
from fhir_server.command.private_files import new_file, replace_file

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
    from fhir_server.command import auditing  # noqa: PLC0415 - `--help` shall not wait for it

    kept = auditing.kept(arguments.anchor) if arguments.anchor is not None else None
    report = auditing.on_log(arguments, lambda log, _: auditing.verified(log, kept))
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
    from fhir_server.command import auditing  # noqa: PLC0415 - `--help` shall not wait for it

    copy = auditing.on_log(arguments, auditing.anchored)
    if copy is None:
        raise CommandFailed("nothing has been recorded yet / まだ記録がありません", status=1)
    if arguments.output is None:
        sys.stdout.buffer.write(copy)
        return 0
    replace_file(arguments.output, copy)
    said = json.loads(copy)
    print(f"Anchor {said['number']} of {said['at']} is in {arguments.output} / アンカーを書き出しました")
    next_step("keep it on another machine / 別の機器で保管する", f"tsunagi audit verify --anchor {arguments.output}")
    return 0


def status(arguments: argparse.Namespace) -> int:
    """Show how far the log has come."""
    from fhir_server.command import auditing  # noqa: PLC0415 - `--help` shall not wait for it

    rows = auditing.on_log(arguments, auditing.status)
    show(("", ""), rows)
    return 0


def prune(arguments: argparse.Namespace) -> int:
    """Remove what is older than the network keeps; without --yes only say what that is."""
    from fhir_server.command import auditing  # noqa: PLC0415 - `--help` shall not wait for it

    if arguments.yes:
        removed = auditing.on_log(arguments, auditing.pruned)
        print(f"{removed[0]:,} batches with {removed[1]:,} events from before {removed[2]} are removed / 削除しました")
        next_step("tsunagi audit verify", "tsunagi audit anchor --output FILE")
        return 0
    count, until = auditing.on_log(arguments, auditing.old)
    print(f"{count:,} batches are from before {until} / これより前の記録: {count:,} 件")
    next_step(f"tsunagi audit export --until {until} --output FILE    keep them elsewhere / 別に保管する", "tsunagi audit prune --yes")
    return 0


def export(arguments: argparse.Namespace) -> int:
    """Write events as AuditEvents in NDJSON, oldest first."""
    from fhir_server.command import auditing  # noqa: PLC0415 - `--help` shall not wait for it

    if arguments.output is None:
        auditing.on_log(arguments, lambda log, settings: auditing.exported(log, arguments, settings, sys.stdout.buffer.write))
        return 0
    with new_file(arguments.output) as file:
        count = auditing.on_log(arguments, lambda log, settings: auditing.exported(log, arguments, settings, file.write))
    print(f"{count:,} events are in {arguments.output} / 書き出しました")
    return 0


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
