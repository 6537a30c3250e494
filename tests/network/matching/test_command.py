"""`tsunagi identity`: the operator looks for who is the same patient, and reads what waits."""

import argparse
import asyncio
import re

import pytest

from fhir_server.command import identity
from tests.network.matching.world import opened, patient


@pytest.fixture
def tsunagi(mongodb_uri, database_name, capsys, monkeypatch, tmp_path):
    """The command, on an empty database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TSUNAGI_MONGODB_URI", mongodb_uri)
    monkeypatch.setenv("TSUNAGI_DATABASE", database_name)
    parser = argparse.ArgumentParser()
    identity.add_arguments(parser.add_subparsers())

    def run(*words: str) -> str:
        arguments = parser.parse_args(["identity", *words])
        capsys.readouterr()
        assert arguments.run(arguments) == 0
        return capsys.readouterr().out

    return run


def test_the_operator_looks_for_candidates_and_lists_what_waits_without_a_name(tsunagi, mongodb_uri, database_name):
    async def filled() -> None:
        async with opened(mongodb_uri, database_name) as world:
            await world.store("a", patient("a1", "a"))
            await world.store("b", patient("b1", "b"))

    asyncio.run(filled())
    printed = tsunagi("look")
    assert "looked at: 2; pairs that wait for the secretariat because of them: 1" in printed
    listed = tsunagi("list")
    assert re.search(r"match-\S+\s+Patient/[ab]1\s+Patient/[ab]1\s+[01]\.\d{3}\s+probable", listed)
    assert "高松" not in listed
    assert "looked at: 1" in tsunagi("look", "Patient/a1")
