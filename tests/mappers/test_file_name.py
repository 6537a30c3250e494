"""The grammar of the standard storage."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mappers.file_name import KNOWN_KINDS, FileNameError, document_key, parse

NAME = "9999013_20111220_OML-11_000000011000354_20111220103059000_01_1"
FOLDER = "999/901/9999013/20111220/OML-11"


def test_a_path_says_patient_day_kind_order_time_department_and_flag():
    name = parse(f"{FOLDER}/{NAME}")
    assert (name.patient_id, name.day, name.kind, name.order) == ("9999013", "20111220", "OML-11", "000000011000354")
    assert (name.time, name.department, name.flag) == ("20111220103059000", "01", "1")
    assert name.occurred == datetime(2011, 12, 20, 10, 30, 59, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert name.warnings == ()
    assert name.storage_path == f"{FOLDER}/{NAME}"


def test_what_has_no_day_and_no_department_is_written_with_a_hyphen():
    name = parse("123456_-_ADT-00_999999999999999_20240401090000123_-_2")
    assert (name.day, name.department, name.flag, name.current) == (None, None, "2", False)


def test_all_versions_of_a_document_share_one_key():
    first = parse("123456_-_ADT-00_999999999999999_20240401090000123_-_2")
    second = parse("123456_-_ADT-00_999999999999999_20240501090000123_01_1")
    assert document_key(first) == document_key(second) == "123456_-_ADT-00_999999999999999"


@pytest.mark.parametrize(
    ("digits", "time"),
    [
        ("200802031630123", "20080203163000123"),  # seconds left out
        ("20080203163001", "20080203163001000"),
        ("2008020316300112", "20080203163001120"),
        ("200802031630011234", "20080203163001123"),
    ],
)
def test_a_time_of_14_to_18_digits_is_read_with_a_warning(digits, time):
    name = parse(f"9999013_20111220_OML-11_1_{digits}_01_1")
    assert name.time == time
    assert len(name.warnings) == 1


def test_hours_beyond_midnight_belong_to_the_next_day():
    assert parse("9999013_20111220_OML-11_1_20111220253000000_01_1").occurred.isoformat() == "2011-12-21T01:30:00+09:00"


def test_a_missing_department_and_a_short_order_number_are_tolerated():
    name = parse("9999013_20111220_OMG-11_2011122000300_20111220103059000_1")
    assert (name.order, name.department) == ("2011122000300", None)
    assert name.warnings


@pytest.mark.parametrize(
    "folder", ["999/901/9999013/20111220/ADT-31", "999/901/9999013/20111221/OML-11", "999/901/9999014/20111220/OML-11"]
)
def test_a_misplaced_file_is_refused(folder):
    with pytest.raises(FileNameError, match="misplaced"):
        parse(f"{folder}/{NAME}")


def test_prefix_folders_that_differ_are_only_a_warning():
    assert parse(f"000/901/9999013/20111220/OML-11/{NAME}").warnings
    assert parse("12/3/123/-/ADT-00/123_-_ADT-00_9_20240401090000123_-_1").warnings


@pytest.mark.parametrize(
    "name",
    [
        "",
        "README.txt",
        "9999013_20111220_OML-11_1_20111220103059000_01_3",
        "9999013_20111320_OML-11_1_20111220103059000_01_1",
        "9999013_2011122_OML-11_1_20111220103059000_01_1",
        "9999013_20111220_OML-11_1_20111399103059000_01_1",
        "9999013_20111220_OML-11_1_20111220993059000_01_1",
        "9999013_20111220_^退院時サマリー^^18842-5^退院時サマリー^LN_1_20111220103059000_01_1",
    ],
)
def test_what_is_no_file_name_is_a_clear_error_without_the_patient_number(name):
    with pytest.raises(FileNameError) as caught:
        parse(name)
    assert "9999013" not in str(caught.value)


def test_the_kinds_of_the_guideline_are_known_by_name():
    assert KNOWN_KINDS["OML-11"] == "検体検査結果通知"
    assert {"OMD", "OMP-02", "ADT-61", "OMG-13"} <= KNOWN_KINDS.keys()
