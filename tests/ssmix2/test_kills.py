"""`kill -9` in the middle of an import, then the same command again: it ends as if nothing had happened.

`make kill-test` does the same for minutes, at random moments.
"""

import pytest

from tests.ssmix2.imports import hospital
from tests.ssmix2.killing import equals_undisturbed, interrupted_import, undisturbed

FILES = 240


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return hospital(tmp_path_factory.mktemp("hospital"), 8, FILES, seed=3, revisions=True)


@pytest.fixture(scope="module")
def expected(root, tmp_path_factory):
    return undisturbed(root, tmp_path_factory.mktemp("undisturbed") / "data")[0]


def test_the_kill_of_the_import_loses_nothing(root, expected, tmp_path):
    interrupted_import(root, tmp_path / "data", "import", beside=False, least=30)
    equals_undisturbed(root, tmp_path / "data", expected)


def test_the_kill_of_a_worker_is_told_in_one_line_and_loses_nothing(root, expected, tmp_path):
    ended = interrupted_import(root, tmp_path / "data", "worker", beside=False, least=30)
    assert ended.status == 3, ended
    assert ended.stderr == "tsunagi: a worker process ended unexpectedly (exit code -9); start the import again\n"
    equals_undisturbed(root, tmp_path / "data", expected)


def test_the_kill_of_the_server_beside_is_told_in_one_line_and_loses_nothing(root, expected, tmp_path):
    ended = interrupted_import(root, tmp_path / "data", "server", beside=True, least=30)
    assert ended.status == 3, ended
    assert "start the import again" in ended.stderr
    assert "Traceback" not in ended.stderr
    equals_undisturbed(root, tmp_path / "data", expected)


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a server"])
def test_the_kill_of_mongod_is_survived_by_the_same_import(root, expected, tmp_path, beside):
    ended = interrupted_import(root, tmp_path / "data", "mongod", beside=beside, least=30)
    assert ended.status == 0, ended
    assert f"{FILES} files in" in ended.stdout
    equals_undisturbed(root, tmp_path / "data", expected)
