"""What the commands that administer share: the administration of the settings' database, tables, and one line for what failed."""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from fhir_server.command import CommandFailed
from fhir_server.settings import Settings, load

if TYPE_CHECKING:
    from fhir_server.app import Registry
    from fhir_server.authorization.administration.registry import Administration

_WIDE = 240  # what another program reads is not wrapped

Result = TypeVar("Result")


def administer(arguments: argparse.Namespace, work: "Callable[[Administration], Awaitable[Result]]") -> Result:
    """Do the work on the database of the settings, beside a running server or without one. Raises CommandFailed."""
    return on_registry(arguments, "tsunagi", lambda registry, settings: work(administration_of(settings, registry)))


def on_registry(arguments: argparse.Namespace, purpose: str, work: "Callable[[Registry, Settings], Awaitable[Result]]") -> Result:
    """Do the work on all that knows who asks, beside a running server or without one. Raises CommandFailed."""
    from fhir_server import app, observability  # noqa: PLC0415 - `--help` shall not wait for it
    from fhir_server.auth.sealing import Unreadable  # noqa: PLC0415
    from fhir_server.command.database import open_for  # noqa: PLC0415
    from fhir_server.outcome import FhirError  # noqa: PLC0415

    settings = load(data=arguments.data)
    observability.configure("warning", requests=False)

    async def done(uri: str) -> Result:
        async with app.open_registry(settings, uri) as registry:
            return await work(registry, settings)

    with open_for(settings, purpose, share=True) as database:
        try:
            return asyncio.run(done(database.uri))
        except (FhirError, Unreadable) as failure:
            raise CommandFailed(str(failure), status=1) from None
        except app.Unsuitable as failure:
            raise CommandFailed(str(failure), status=3) from None


def administration_of(settings: Settings, registry: "Registry") -> "Administration":
    """Put the administration together from what the application is made of."""
    from fhir_server.app.doors import administration_of as put_together  # noqa: PLC0415

    return put_together(settings, registry)


def describe(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, help: str, examples: str
) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    """Describe a command that has commands of its own; give where they are added."""
    parser = subparsers.add_parser(name, help=help, description=help, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def ask(_: argparse.Namespace) -> NoReturn:
        parser.error(f"name a command: {', '.join(commands.choices)}")

    parser.set_defaults(run=ask)
    return commands


def command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    help: str,
    run: Callable[[argparse.Namespace], int],
    *words: str,
) -> argparse.ArgumentParser:
    """Describe one command; `words` are its positional arguments, as NAME or NAME: help."""
    parser = commands.add_parser(name, help=help, description=help)
    for word in words:
        metavar, _, meaning = word.partition(": ")
        parser.add_argument(metavar.lower(), metavar=metavar, help=meaning or None)
    parser.add_argument("--data", metavar="DIR", type=Path, help="directory of all data (default ./var) / データの保存先")
    parser.set_defaults(run=run)
    return parser


def show(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table."""
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(*columns, box=box.SIMPLE)
    for row in rows:
        table.add_row(*row)
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(table)


def next_step(*lines: str) -> None:
    """Print what to do next."""
    print("Next / 次の手順:")
    for line in lines:
        print(f"  {line}")
