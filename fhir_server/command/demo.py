"""`tsunagi demo`: a synthetic hospital's SS-MIX2 storage, imported and served.

Each phase leaves what it finished behind, so an interrupted demo goes on where it was: the storage is written from a
seed (again the same bytes), the import changes nothing where it is repeated, and `demo.json` says that all is there.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_server import observability
from fhir_server.command import CommandFailed
from fhir_server.command.database import open_for
from fhir_server.command.serve import add_serving_arguments, serve
from fhir_server.settings import Settings, load
from fhir_server.store.ownership import owner_of

if TYPE_CHECKING:
    from fhir_server.store.embedded import Database

PATIENTS = 60
FILES = 1200
SEED = 20260401

_DEFAULT_DIRECTORY = Path("var/demo")
_DONE = "demo.json"
_STORAGE = "ssmix2"


def run(arguments: argparse.Namespace) -> int:
    """Import the demo hospital where it is not there yet, and serve until a signal."""
    settings = load(port=arguments.port, data=arguments.data or _DEFAULT_DIRECTORY, workers=arguments.workers, database="tsunagi_demo")
    observability.configure("warning", requests=False)  # the terminal belongs to the reader
    if arguments.reset:
        _reset(settings)
    serve(settings, lambda: _prepared(settings), lambda: _show(settings))
    return 0


def _prepared(settings: Settings) -> "Database":
    """Open the database and see that the hospital is in it."""
    _say("Starting the database ... / データベースを起動しています")
    database = open_for(settings, "tsunagi demo")
    try:
        if not (settings.data / _DONE).exists():
            _import(settings, database)
            (settings.data / _DONE).write_text(f'{{"patients": {PATIENTS}, "files": {FILES}, "seed": {SEED}}}\n')
    except BaseException:
        database.stop()
        raise
    return database


def _import(settings: Settings, database: "Database") -> None:
    from fhir_server.command.ssmix2 import import_tree  # noqa: PLC0415 - not needed once the hospital is there
    from fhir_server.sandbox.facilities import HOSPITAL_B  # noqa: PLC0415
    from fhir_server.sandbox.hospital import write_tree  # noqa: PLC0415

    storage = settings.data / _STORAGE
    _say(f"Making a synthetic hospital, {FILES} SS-MIX2 files ... / 架空病院の SS-MIX2 ストレージを作成しています")
    write_tree(storage, HOSPITAL_B, PATIENTS, SEED, FILES)
    _say("Importing it ... / 取り込んでいます")
    report = import_tree(settings, database, storage / HOSPITAL_B.code, HOSPITAL_B.code)
    if report.refused:
        raise CommandFailed(
            f"{len(report.refused)} files of the synthetic hospital were refused; see {settings.data}/ssmix2/aside", status=1
        )


def _reset(settings: Settings) -> None:
    """Remove what an earlier demo left in its directory, and nothing else."""
    if settings.mongodb_uri:
        raise CommandFailed("--reset removes the demo's own database only; TSUNAGI_MONGODB_URI names another: drop `tsunagi_demo` there")
    owner = owner_of(settings.mongodb_directory)
    if owner:
        raise CommandFailed(f"{settings.data} is in use by {owner.purpose} (process {owner.pid}); stop it before --reset")
    for each in (_DONE, _STORAGE, "mongodb", "metrics"):
        path = settings.data / each
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _show(settings: Settings) -> None:
    from fhir_server.command.trial import requests  # noqa: PLC0415 - it asks the server, which must run

    _say(f"\nTsunagi serves {settings.base}    (Ctrl-C ends it / Ctrl-C で終了)\n")
    try:
        trials = requests(settings.base)
    except (OSError, LookupError) as failure:  # the server serves all the same
        _say(f"No request can be suggested: {failure}")
        return
    _say("Try / お試しください:\n")
    for number, trial in enumerate(trials, 1):
        _say(f"{number}. {trial.title}\n   {trial.command}\n   -> {trial.answer}\n")


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "demo",
        help="import a synthetic hospital and serve it / 架空病院を取り込んで起動する",
        description="Make a synthetic hospital, import its SS-MIX2 storage, serve it and print three requests to try. All names are made up.",
        epilog="example: tsunagi demo --port 8081 --reset",
    )
    add_serving_arguments(parser)
    parser.set_defaults(run=run)
    parser.add_argument(
        "--reset", action="store_true", help="begin anew: remove the earlier demo's data first / 以前のデモを消してやり直す"
    )
