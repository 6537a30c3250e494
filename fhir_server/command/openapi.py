"""`tsunagi openapi`: writes the OpenAPI document."""

import argparse
import sys
from pathlib import Path


def run(arguments: argparse.Namespace) -> int:
    """Print the document, or write it to a file."""
    from fhir_server import app  # noqa: PLC0415 - a second of work that other commands do not need

    document = app.openapi()
    if arguments.output is None:
        sys.stdout.buffer.write(document)
    else:
        arguments.output.write_bytes(document)
    return 0


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "openapi",
        help="write the OpenAPI document / OpenAPI 文書を出力する",
        description="Write the OpenAPI document of the FHIR API, from the same definitions that the server runs on.",
        epilog="example: tsunagi openapi --output openapi/openapi.json",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="file to write (default: standard output)")
    parser.set_defaults(run=run)
