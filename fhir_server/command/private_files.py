"""What commands read and write that others must not: passphrases, keys; and files that are replaced while others read them."""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from fhir_server.command import CommandFailed


def passphrase(file: Path | None, *, twice: bool) -> str:
    """Read the passphrase of the network's root from a file, or ask for it, `twice` where it is new. Raises CommandFailed."""
    if file is not None:
        try:
            return str(file.read_text(encoding="utf-8").removesuffix("\n"))
        except (OSError, UnicodeDecodeError):
            raise CommandFailed(f"{file} cannot be read") from None
    if not sys.stdin.isatty():
        raise CommandFailed("there is no terminal to ask for the root's passphrase at: use --passphrase-file FILE")
    given = getpass.getpass("Passphrase of the root / ルートのパスフレーズ: ")
    if twice and getpass.getpass("Again / もう一度: ") != given:
        raise CommandFailed("the two passphrases differ")
    return given


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Make a file that only its owner reads, and that was not there before; it goes where the work fails. Raises CommandFailed."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be made ({error.strerror})") from error
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file at once, so that who reads it finds the old one or the new one whole. Raises CommandFailed."""
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written ({error.strerror})") from error
