"""`tsunagi settings`: what is set, or the documentation of all settings."""

import argparse
import sys

import msgspec

from fhir_server.settings import load, markdown

_SECRET = {"mongodb_uri", "paging_key", "secret_key"}


def run(arguments: argparse.Namespace) -> int:
    """Print the settings in force, or docs/settings.md."""
    if arguments.markdown:
        sys.stdout.write(markdown())
        return 0
    settings = load()
    for name, value in msgspec.structs.asdict(settings).items():
        shown = "" if value is None else "(set)" if name in _SECRET else str(value)
        sys.stdout.write(f"{name} = {shown}\n")
    return 0


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "settings", help="show the settings in force / 設定を表示する", description="Show the settings in force."
    )
    parser.add_argument("--markdown", action="store_true", help="print the documentation of all settings instead")
    parser.set_defaults(run=run)
