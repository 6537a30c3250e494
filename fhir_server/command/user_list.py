"""`tsunagi user import`: many people from a list, with the IDs that they have already (F053).

The list is CSV with the columns id, name, kana, birth, facility, role, and patient for patients; several lines with one ID are
several works of one person. UTF-8, or Shift_JIS as Japanese spreadsheets write it.
"""

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fhir_server.command import CommandFailed
from fhir_server.command.administering import administer, command, next_step

if TYPE_CHECKING:
    from fhir_server.authorization.administration.people import Newcomer, Work
    from fhir_server.authorization.administration.registry import Administration

_COLUMNS = ("id", "name", "kana", "birth", "facility", "role", "patient")
_LONGEST = 16 * 1024 * 1024
_EXAMPLES = """\
example: tsunagi user import users.csv --passwords passwords.csv

  id,name,kana,birth,facility,role
  kmix0012,高松 花子,タカマツ ハナコ,1980-02-03,3710000017,physician
  kmix0012,高松 花子,タカマツ ハナコ,1980-02-03,3710000025,physician

Everything is checked before anybody is added. Who has an account already is left as is, so an import may be started again.
全行を確認してから登録します。登録済みの ID は変更しません。
"""


def run(arguments: argparse.Namespace) -> int:
    """Add everybody of a list who has no account yet."""
    newcomers = _newcomers(_rows(arguments.file))
    output = _output(arguments.passwords) if arguments.passwords else sys.stdout

    async def work(administration: "Administration") -> int:
        new = [each for each in newcomers if not await administration.people.exists(each.login)]
        for each in new:
            await administration.people.check(each)
        writer = csv.writer(output, lineterminator="\n")
        writer.writerow(("id", "first password"))
        for each in new:
            account, password = await administration.people.add(each)
            writer.writerow((account.id, password))
            output.flush()  # it cannot be told again
        return len(new)

    try:
        added = administer(arguments, work)
    finally:
        if output is not sys.stdout:
            output.close()
    print(f"{added} users added, {len(newcomers) - added} were there already / {added} 名を登録しました", file=sys.stderr)
    if added:
        next_step("hand each ID and first password over / ID と初回パスワードを本人に渡してください", "tsunagi user list")
    return 0


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Give the lines with their numbers."""
    reader = csv.DictReader(io.StringIO(_text(path)))
    columns = [name.strip().lower() for name in reader.fieldnames or ()]
    unknown = [name for name in columns if name not in _COLUMNS]
    if "id" not in columns or unknown:
        raise CommandFailed(f"{path}: the first line names the columns, of {', '.join(_COLUMNS)}; id is needed")
    reader.fieldnames = columns
    rows = [(reader.line_num, {name: (value or "").strip() for name, value in row.items() if name is not None}) for row in reader]
    return [(number, row) for number, row in rows if any(row.values())]


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LONGEST:
            raise CommandFailed(f"{path} is longer than {_LONGEST // 1024 // 1024} MB")
        data = path.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from None
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CommandFailed(f"{path} is neither UTF-8 nor Shift_JIS")


def _newcomers(rows: Iterable[tuple[int, dict[str, str]]]) -> "list[Newcomer]":
    """Put the lines of each person together."""
    from dataclasses import replace  # noqa: PLC0415

    found: dict[str, Newcomer] = {}
    for number, row in rows:
        newcomer = _newcomer(number, row)
        first = found.setdefault(newcomer.login, newcomer)
        if first is newcomer:
            continue
        if (first.name, first.kana, first.birth, first.patient) != (newcomer.name, newcomer.kana, newcomer.birth, newcomer.patient):
            raise CommandFailed(f"line {number}: another person has this ID above; one ID is one person (L01)")
        found[newcomer.login] = replace(first, works=(*first.works, *newcomer.works))
    return list(found.values())


def _newcomer(number: int, row: dict[str, str]) -> "Newcomer":
    from fhir_server.auth.registrations import checked_user_id  # noqa: PLC0415
    from fhir_server.authorization.administration.people import Newcomer  # noqa: PLC0415
    from fhir_server.outcome import FhirError  # noqa: PLC0415

    try:
        login = checked_user_id(row["id"])
        birth = date.fromisoformat(row["birth"]) if row.get("birth") else None
    except FhirError as error:
        raise CommandFailed(f"line {number}: {error}") from None
    except ValueError:
        raise CommandFailed(f"line {number}: birth is written YYYY-MM-DD") from None
    patient = row.get("patient") or None
    works = () if patient else (_work(number, row),)
    return Newcomer(login, row.get("name", ""), row.get("kana") or None, birth, works, patient)


def _work(number: int, row: dict[str, str]) -> "Work":
    from fhir_server.auth.roles import Role  # noqa: PLC0415
    from fhir_server.authorization.administration.people import Work  # noqa: PLC0415

    try:
        return Work(Role(row.get("role", "")), row.get("facility") or None)
    except ValueError:
        raise CommandFailed(f"line {number}: role is one of physician, pharmacist, nurse, clerk, secretariat, auditor") from None


def _output(path: Path) -> io.TextIOBase:
    """Open a new file that only its owner reads."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise CommandFailed(f"{path} exists already: passwords are written to a new file") from None
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from None
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def add_import(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = command(commands, "import", "add many people from a list (CSV) / 利用者の一括登録", run)
    parser.epilog, parser.formatter_class = _EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("file", metavar="FILE", type=Path, help="the list / 一覧")
    parser.add_argument("--passwords", metavar="FILE", type=Path, help="write the first passwords to this new file, else they are printed")
