"""Where the test data beside the repository is, if it is there."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def _shared() -> Path | None:
    named = os.environ.get("TSUNAGI_SHARED")
    path = Path(named) if named else REPOSITORY.parent / "shared"
    return path if path.is_dir() else None


SHARED = _shared()
needs_shared = pytest.mark.skipif(SHARED is None, reason="the test data ../shared is absent (TSUNAGI_SHARED names another place)")
