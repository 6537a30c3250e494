"""`tsunagi demo`: a sandbox. The SS-MIX2 storages of a synthetic hospital, a clinic and a pharmacy, people and clients, served.

Each phase leaves what it finished behind, so an interrupted demo goes on where it was: the storages are written from a
seed (again the same bytes), the import changes nothing where it is repeated, and `demo.json` says that all is there.
"""

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec.structs import replace

from fhir_server import observability
from fhir_server.command import CommandFailed
from fhir_server.command.database import open_for
from fhir_server.command.listening import is_loopback
from fhir_server.command.seeding import KEY_FILE
from fhir_server.command.serve import add_serving_arguments, serve
from fhir_server.settings import Settings, load
from fhir_server.store.ownership import owner_of

if TYPE_CHECKING:
    from fhir_server.store.embedded import Database

PATIENTS = 60
FILES = 1200
SEED = 20260401
SHARES = (1, 4, 12)
"""Of the hospital's patients and files the clinic has a fourth, the pharmacy a twelfth, in the order of `people.IMPORTED`."""

_DEFAULT_DIRECTORY = Path("var/demo")
_DONE = "demo.json"
_STORAGE = "ssmix2"
_MAILS = "mails"


def run(arguments: argparse.Namespace) -> int:
    """Import the demo hospital where it is not there yet, and serve until a signal."""
    data = arguments.data or _DEFAULT_DIRECTORY
    settings = load(port=arguments.port, data=data, workers=arguments.workers, database="tsunagi_demo", sandbox=True)
    if settings.smtp_url is None:  # the notices' mails can be looked at as files
        settings = replace(settings, smtp_url=f"file://{quote(str((data / _MAILS).resolve()))}")
    observability.configure("warning", requests=False)  # the terminal belongs to the reader
    if arguments.reset:
        _reset(settings)
    serve(settings, lambda: _prepared(settings), lambda: _show(settings))
    return 0


def _prepared(settings: Settings) -> "Database":
    """Open the database and see that everything is in it."""
    from fhir_server import app  # noqa: PLC0415 - after the port is known to be ours
    from fhir_server.command.seeding import seed  # noqa: PLC0415

    _say("Starting the database ... / データベースを起動しています")
    database = open_for(settings, "tsunagi demo")
    try:
        done = _done()
        if _read(settings.data / _DONE) != done:
            _import(settings, database)
            (settings.data / _DONE).write_text(done)
        _say("Seeing to people, consents and clients ... / 利用者・同意・クライアントを登録しています")
        app.preload()
        seed(settings, database)
    except BaseException:
        database.stop()
        raise
    return database


def _done() -> str:
    return f'{{"patients": {PATIENTS}, "files": {FILES}, "facilities": {len(SHARES)}, "seed": {SEED}}}\n'


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _import(settings: Settings, database: "Database") -> None:
    from fhir_server.command.ssmix2 import import_tree  # noqa: PLC0415 - not needed once the storages are there
    from fhir_server.sandbox.hospital import write_tree  # noqa: PLC0415
    from fhir_server.sandbox.people import IMPORTED  # noqa: PLC0415

    storage = settings.data / _STORAGE
    files = sum(FILES // share for share in SHARES)
    _say(
        f"Making a synthetic hospital, a clinic and a pharmacy, {files} SS-MIX2 files ... / 架空の病院、診療所、薬局のデータを作成しています"
    )
    for facility, share in zip(IMPORTED, SHARES, strict=True):
        write_tree(storage, facility, PATIENTS // share, SEED, FILES // share)
    for facility in IMPORTED:
        _say(f"Importing {facility.code} ... / {facility.name}を取り込んでいます")
        report = import_tree(settings, database, storage / facility.code, facility.code)
        if report.refused:
            text = f"{len(report.refused)} files of {facility.code} were refused; see {settings.data}/ssmix2/aside"
            raise CommandFailed(text, status=1)


def _reset(settings: Settings) -> None:
    """Remove what an earlier demo left in its directory, and nothing else."""
    if settings.mongodb_uri:
        raise CommandFailed("--reset removes the demo's own database only; TSUNAGI_MONGODB_URI names another: drop `tsunagi_demo` there")
    owner = owner_of(settings.mongodb_directory)
    if owner:
        raise CommandFailed(f"{settings.data} is in use by {owner.purpose} (process {owner.pid}); stop it before --reset")
    for each in (_DONE, _STORAGE, _MAILS, KEY_FILE, "mongodb", "metrics"):
        path = settings.data / each
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _show(settings: Settings) -> None:
    from fhir_server.command.trial import requests, token_command  # noqa: PLC0415 - it asks the server, which must run

    _say(f"\nTsunagi serves {settings.base}    (Ctrl-C ends it / Ctrl-C で終了)\n")
    if not is_loopback(settings.host):
        _say("*** ATTENTION: other machines reach this sandbox, and its passwords are known / 警告: パスワードは公知です ***\n")
    _show_people(settings)
    try:
        trials = requests(settings.issuer, settings.base)
    except (OSError, LookupError) as failure:  # the server serves all the same
        _say(f"No request can be suggested: {failure}")
        return
    _say(f"A token for the integration tester / 試験用トークン ({settings.access_time} min):\n\n   {token_command(settings.issuer)}\n")
    _say("Try / お試しください:\n")
    for number, trial in enumerate(trials, 1):
        _say(f"{number}. {trial.title}\n   {trial.command}\n   -> {trial.answer}\n")


def _show_people(settings: Settings) -> None:
    from fhir_server.auth.roles import TITLES  # noqa: PLC0415
    from fhir_server.sandbox.people import PASSWORD, logins  # noqa: PLC0415

    _say(f"Viewer / ビューア:                       {settings.issuer}/viewer/launch.html")
    _say(f"Launcher (as from an EHR) / ランチャー:  {settings.issuer}/launcher")
    _say(f"Users, all with the password / 利用者 (パスワード共通): {PASSWORD}")
    for login in logins():
        ja, en = TITLES[login.role]
        places = " ".join(login.facilities)
        _say(f"   {login.id.upper()}  {login.name}  {ja} / {en}  {places}".rstrip())
    _say("")


def _say(text: str) -> None:
    print(text, file=sys.stdout, flush=True)


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "demo",
        help="import a synthetic hospital and serve it / 架空病院を取り込んで起動する",
        description="Make a sandbox: import the SS-MIX2 storages of a synthetic hospital, a clinic and a pharmacy, with users and clients; "
        "serve it and print a token command and three requests to try. All names are made up, all passwords known: no real data in it.",
        epilog="example: tsunagi demo --port 8081 --reset",
    )
    add_serving_arguments(parser)
    parser.set_defaults(run=run)
    parser.add_argument(
        "--reset", action="store_true", help="begin anew: remove the earlier demo's data first / 以前のデモを消してやり直す"
    )
