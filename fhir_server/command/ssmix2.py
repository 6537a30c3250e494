"""`tsunagi ssmix2 import`: a hospital's SS-MIX2 standard storage into FHIR."""

import argparse
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from fhir_server.command import CommandFailed
from fhir_server.settings import Settings, load

if TYPE_CHECKING:
    from fhir_server.ssmix2.pipeline import Pipeline
    from fhir_server.ssmix2.report import Report
    from fhir_server.store.embedded import Database

FACILITY = re.compile(r"[0-4][0-9][1-3][0-9]{7}")  # L27: prefecture, fee table, institution
SOME_REFUSED = 1

_EXAMPLES = """\
examples:
  tsunagi ssmix2 import /mnt/ssmix2/3710000017 --facility 3710000017
  tsunagi ssmix2 import DIR --facility 3710000017 --strict --report report.json

Every message becomes one transaction. The same import may be started again at any time: what is stored already stays as it
is. Files that cannot be read are kept in DATA/ssmix2/aside with the reason, and the exit status is 1.
同じ取り込みは何度でもやり直せます。読めないファイルは理由とともに DATA/ssmix2/aside に残し、終了コードは 1 になります。
"""


def run(arguments: argparse.Namespace) -> int:
    """Import and report; 0 where no file was refused, else 1."""
    from fhir_server import observability  # noqa: PLC0415 - `--help` shall not wait for what an import needs
    from fhir_server.command.database import open_for  # noqa: PLC0415

    settings = load(data=arguments.data, workers=arguments.workers)
    observability.configure(settings.log_level, requests=False)
    root = _root(arguments.directory)
    _check_facility(arguments.facility)
    if arguments.report and not arguments.report.absolute().parent.is_dir():  # better told now than after hours
        raise CommandFailed(f"the report cannot be written to {arguments.report}: its directory does not exist")
    with open_for(settings, "tsunagi ssmix2 import", share=True) as database:
        report = import_tree(settings, database, root, arguments.facility, strict=arguments.strict)
    if arguments.report:
        _save(report, arguments.report)
    return SOME_REFUSED if report.refused else 0


def import_tree(settings: Settings, database: "Database", root: Path, facility: str, *, strict: bool = False) -> "Report":
    """Import one facility's storage into the database, showing progress and report. Raises CommandFailed."""
    from fhir_server import app  # noqa: PLC0415
    from fhir_server.command.memory import settle  # noqa: PLC0415
    from fhir_server.ssmix2.importer import ImportFailed  # noqa: PLC0415
    from fhir_server.ssmix2.importer import run as run_import  # noqa: PLC0415
    from fhir_server.ssmix2.progress import Bar, tell  # noqa: PLC0415
    from fhir_server.store.embedded import EmbeddedError  # noqa: PLC0415

    app.preload()
    settle()
    work = _work(settings, database, root, facility, strict=strict)
    try:
        report = run_import(root, work, settings.worker_processes, Bar(sys.stderr), database.tend)
    except ImportFailed as failure:
        raise CommandFailed(str(failure), status=3) from None
    except EmbeddedError as failure:
        raise CommandFailed(f"{failure}; start the import again", status=3) from None
    except KeyboardInterrupt:
        print(
            "tsunagi: interrupted; start the same import again to go on / 中断しました。同じコマンドで続きから再開できます", file=sys.stderr
        )
        raise
    tell(report, sys.stdout)
    return report


def _work(settings: Settings, database: "Database", root: Path, facility: str, *, strict: bool) -> Callable[[Connection], None]:
    """Say what a worker process does: its own connection to the database, and one pipeline."""
    parent = os.getpid()

    def work(pipe: Connection) -> None:
        from fhir_server.ssmix2 import worker  # noqa: PLC0415
        from fhir_server.store.tether import tether  # noqa: PLC0415

        database.leave()
        tether(parent)
        worker.work(pipe, lambda: _pipeline(settings, database.uri, root, facility, strict=strict))

    return work


@asynccontextmanager
async def _pipeline(settings: Settings, uri: str, root: Path, facility: str, *, strict: bool) -> AsyncIterator["Pipeline"]:
    from fhir_server.app import open_service  # noqa: PLC0415
    from fhir_server.service import Local  # noqa: PLC0415
    from fhir_server.ssmix2.aside import Aside  # noqa: PLC0415
    from fhir_server.ssmix2.facility import organization_id  # noqa: PLC0415
    from fhir_server.ssmix2.pipeline import open_pipeline  # noqa: PLC0415

    async with open_service(settings, uri) as service:
        importer = Local("local", organization=f"Organization/{organization_id(facility)}", facility=facility)
        yield open_pipeline(
            lambda request: service.perform(request, importer), root, facility, Aside(settings.data, facility), strict=strict
        )


def _root(directory: Path) -> Path:
    if not directory.is_dir():
        raise CommandFailed(f"{directory} is no directory")
    return directory.resolve()


def _check_facility(code: str) -> None:
    if not FACILITY.fullmatch(code):
        raise CommandFailed(
            "--facility takes the 10 digits of the 医療機関コード: prefecture (2), fee table (1), institution (7)", status=2
        )


def _save(report: "Report", path: Path) -> None:
    import msgspec  # noqa: PLC0415

    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(report.as_json())))
    except OSError as error:
        raise CommandFailed(f"the report cannot be written to {path}: {error.strerror}") from None


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = subparsers.add_parser("ssmix2", help="import SS-MIX2 standard storage / SS-MIX2 標準化ストレージを取り込む")
    parser.set_defaults(run=lambda _: _ask_for_command(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    imports = commands.add_parser(
        "import",
        help="import a standard storage tree",
        description="Import a standard storage tree, beside a running `tsunagi serve` or without one.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    imports.add_argument("directory", metavar="DIR", type=Path, help="root folder of the storage (patients' folders lie in it)")
    imports.add_argument("--facility", metavar="CODE", required=True, help="医療機関コード of the sender, 10 digits")
    imports.add_argument("--data", metavar="DIR", type=Path, help="directory of all data (default ./var)")
    imports.add_argument("--workers", metavar="N", help="processes (default: one for each processor core)")
    imports.add_argument("--strict", action="store_true", help="let hl7apy judge every message, too (slow)")
    imports.add_argument("--report", metavar="FILE", type=Path, help="write the report as JSON, with the path of every refused file")
    imports.set_defaults(run=run)


def _ask_for_command(parser: argparse.ArgumentParser) -> NoReturn:
    parser.error("name a command: import")
