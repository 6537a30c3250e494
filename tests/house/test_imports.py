"""Imports flow one way: the contracts of pyproject.toml hold."""

import subprocess
import sys
from pathlib import Path

from tests.shared import REPOSITORY


def test_the_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
