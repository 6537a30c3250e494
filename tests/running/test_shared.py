"""The helper that finds the test data beside the repository."""

from tests.shared import REPOSITORY, SHARED, needs_shared


def test_the_repository_is_found():
    assert (REPOSITORY / "pyproject.toml").is_file()


@needs_shared
def test_the_shared_data_is_found_where_it_is():
    assert SHARED
    assert (SHARED / "ssmix2").is_dir()
