"""The commands that administer, run in this process on the database of the test."""

import pytest

from fhir_server import __main__


class Operator:
    """Somebody at the terminal: gives a command, reads what it prints."""

    def __init__(self, capsys):
        self._capsys = capsys

    def __call__(self, *words):
        """Run a command that succeeds; give what it prints."""
        self._capsys.readouterr()
        status = __main__.main(words)
        printed = self._capsys.readouterr()
        assert status == 0, printed.err
        return printed.out

    def fails(self, *words):
        """Run a command that fails; give its status and its one line."""
        self._capsys.readouterr()
        try:
            status = __main__.main(words)
        except SystemExit as end:  # argparse
            status = end.code
        error = self._capsys.readouterr().err
        assert "Traceback" not in error
        return status, error.strip().splitlines()[-1]


@pytest.fixture
def tsunagi(mongodb_uri, database_name, capsys, monkeypatch, tmp_path):
    """The command `tsunagi` on an empty database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TSUNAGI_MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("TSUNAGI_DATABASE", database_name)
    return Operator(capsys)
