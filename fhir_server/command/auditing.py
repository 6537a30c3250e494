"""What `tsunagi audit` does: it opens the log alone, for nothing else of the server is needed, nor begun."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fhir_server import app, observability
from fhir_server.app.store import connect
from fhir_server.audit.anchor import Exported, opened, read_exported, shown
from fhir_server.audit.anchor import exported as write_exported
from fhir_server.audit.fhir import version_of
from fhir_server.audit.found_by import Filter
from fhir_server.audit.keys import fingerprint, open_pens
from fhir_server.audit.log import Log
from fhir_server.audit.pruning import limit, older, prune
from fhir_server.audit.verifying import Report, verify
from fhir_server.auth.sealing import Sealer, Unreadable
from fhir_server.command import CommandFailed
from fhir_server.command.database import open_for
from fhir_server.outcome import FhirError
from fhir_server.settings import Settings, load
from fhir_server.store.audit_log import AuditStore
from fhir_server.store.records import Shelf
from fhir_server.store.secrets import kept_secret

Result = TypeVar("Result")


def on_log(arguments: argparse.Namespace, work: Callable[[Log, Settings], Awaitable[Result]]) -> Result:
    """Do the work on the log of the settings' database, beside a running server or without one. Raises CommandFailed."""
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
async def _opened(settings: Settings, uri: str) -> AsyncIterator[Log]:
    """Open the log alone: nothing else of the server is needed, nor begun."""
    mongo = await connect(settings, uri)
    try:
        shelf = Shelf(mongo.database, settings.query_time)
        secret = settings.secret_key.encode() if settings.secret_key else await kept_secret(mongo.database, "sealing")
        store = AuditStore(mongo.database, settings.query_time)
        await store.ensure()
        yield Log(store, await open_pens(shelf, Sealer(secret), shelf.clock), shelf.clock)
    finally:
        await mongo.close()


async def verified(log: Log, kept: Exported | None) -> Report:
    """Verify the log, with a bar that shows how far that is."""
    columns = (TextColumn("verify / 検証"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("verify", total=None)
        return await verify(log.store, log.pens, kept, lambda done, total: bar.update(task, completed=done, total=total))


async def anchored(log: Log, settings: Settings) -> bytes | None:
    """Anchor, and give the copy of the newest anchor; None where there is none."""
    await log.anchor()
    stored = await log.store.newest_anchor()
    made = opened(stored, log.pens) if stored is not None else None
    pen = log.pens.of(made.key) if made is not None else None
    if stored is None or made is None or pen is None:
        return None
    return write_exported(stored, made, pen, _time(made.at, settings))


async def status(log: Log, settings: Settings) -> list[tuple[str, str]]:
    """Give the lines of the status."""
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


async def pruned(log: Log, settings: Settings) -> tuple[int, int, str]:
    """Prune; give how many batches and events, and from before when."""
    removed = await prune(log.store, log.pens, lambda: datetime.now(settings.zone), settings.audit_years)
    return removed.batches, removed.events, f"{removed.until:%Y-%m-%d}"


async def old(log: Log, settings: Settings) -> tuple[int, str]:
    """Give how many batches are too old, and from before when."""
    until = limit(datetime.now(settings.zone), settings.audit_years)
    count = sum([1 async for _ in older(log.store, round(until.timestamp() * 1000))])
    return count, f"{until:%Y-%m-%d}"


async def exported(log: Log, arguments: argparse.Namespace, settings: Settings, write: Callable[[bytes], object]) -> int:
    """Write the events of the span that was asked for; give how many."""
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


def kept(file: Path) -> Exported:
    """Read an anchor that was kept elsewhere. Raises CommandFailed."""
    try:
        return read_exported(file.read_bytes())
    except (OSError, msgspec.MsgspecError):
        raise CommandFailed(f"{file} is no anchor written by: tsunagi audit anchor --output FILE") from None
