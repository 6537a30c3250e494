"""`tsunagi index`: how the indexes of the store are, and what to do when they are out of date."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from fhir_server.command import CommandFailed
from fhir_server.settings import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fhir_server.store.upkeep import Status, Upkeep

Result = TypeVar("Result")

_OUTDATED = 1
_EXAMPLES = """\
examples:
  tsunagi index status      the indexes, their sizes and states; exit status 1 where a rebuild is due / 索引の状態
  tsunagi index rebuild     find the search entries of every resource anew / 検索項目の作り直し

A rebuild is due when the search parameters or the time zone have changed, or a new release finds more in a resource. It runs
beside a working server, may be interrupted at any time, and goes on where it was.
検索パラメーターや時間帯の設定、版が変わったときに作り直します。稼働中でも実行でき、中断しても続きから再開します。
"""
_ENTRIES = {
    "current": "the search entries are those of the definitions in force / 検索項目は最新です",
    "outdated": "the search entries were made under other definitions: run `tsunagi index rebuild` / 検索項目の作り直しが必要です",
    "unknown": "nothing tells how the search entries were made: run `tsunagi index rebuild` / 検索項目の作り直しが必要です",
}


def status(arguments: argparse.Namespace) -> int:
    """Show all indexes; 0 where all is as it should be, else 1."""
    found = asyncio.run(_with_upkeep(arguments, _ask))
    _show(found)
    return 0 if found.entries == "current" and all(index.state == "ready" for index in found.indexes) else _OUTDATED


def rebuild(arguments: argparse.Namespace) -> int:
    """Renew the entries of every resource."""
    asyncio.run(_with_upkeep(arguments, _renew))
    return 0


async def _with_upkeep(arguments: argparse.Namespace, work: "Callable[[Upkeep], Awaitable[Result]]") -> Result:
    from fhir_server import app, observability  # noqa: PLC0415 - `--help` shall not wait for it
    from fhir_server.command.database import open_for  # noqa: PLC0415
    from fhir_server.outcome import FhirError  # noqa: PLC0415

    settings = load(data=arguments.data)
    observability.configure(settings.log_level, requests=False)
    with open_for(settings, "tsunagi index", share=True) as database:
        try:
            async with app.open_upkeep(settings, database.uri) as upkeep:
                return await work(upkeep)
        except (FhirError, app.Unsuitable) as failure:
            raise CommandFailed(str(failure), status=3) from None


async def _ask(upkeep: "Upkeep") -> "Status":
    return await upkeep.status()


async def _renew(upkeep: "Upkeep") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("index"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    seen = changed = 0
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("rebuild", total=None)
        async for done in upkeep.rebuild():
            seen, changed = done.seen, done.changed
            bar.update(task, completed=seen, total=done.total)
    print(f"{seen:,} resources seen, {changed:,} found by other entries now / {seen:,} 件を確認し {changed:,} 件を更新しました")


def _show(status: "Status") -> None:
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("collection", "index", "keys", box=box.SIMPLE)
    table.add_column("MB", justify="right")
    table.add_column("state")
    for index in status.indexes:
        table.add_row(index.collection, index.name, index.keys, f"{index.size / 1e6:,.1f}", index.state)
    console = Console(file=sys.stdout)
    console.print(table)
    for name, count in status.documents.items():
        print(f"{name}: {count:,} documents")
    print(_ENTRIES[status.entries])


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the commands."""
    parser = subparsers.add_parser(
        "index",
        help="show or rebuild the search indexes / 検索索引の表示・再構築",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=lambda _: _ask_for_command(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, run, help in (("status", status, "show all indexes"), ("rebuild", rebuild, "renew the search entries of every resource")):
        command = commands.add_parser(name, help=help, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
        command.add_argument("--data", metavar="DIR", type=Path, help="directory of all data (default ./var)")
        command.set_defaults(run=run)


def _ask_for_command(parser: argparse.ArgumentParser) -> NoReturn:
    parser.error("name a command: status or rebuild")
