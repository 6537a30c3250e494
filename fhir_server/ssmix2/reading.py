"""Reads one file of a storage: a regular file of bounded size, nothing that a link or a pipe could lead to."""

import errno
import os
import stat
from pathlib import Path

SIZE_LIMIT = 16 * 1024 * 1024  # bytes of one message; the largest laboratory messages seen have some hundred kilobytes


class Unreadable(Exception):  # noqa: N818 - a decision about a file, not a fault
    """A file's bytes cannot be had; the text says why."""


def read(path: Path) -> bytes:
    """Give the bytes of a file. Raises Unreadable.

    Nothing that is not a regular file is waited for: a named pipe in a storage would hold up the import for ever.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            data = _regular(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = "is a symbolic link, which is not followed" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise Unreadable(reason) from None
    if len(data) > SIZE_LIMIT:
        raise Unreadable(f"larger than {SIZE_LIMIT // 1024 // 1024} MB")
    return data


def _regular(descriptor: int) -> bytes:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise Unreadable("is not a regular file")
    with open(descriptor, "rb", buffering=0, closefd=False) as file:
        parts = []
        left = SIZE_LIMIT + 1
        while left and (part := file.read(left)):
            parts.append(part)
            left -= len(part)
    return b"".join(parts)
