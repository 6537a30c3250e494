"""Walking a standard storage: every file is given once, in order, grouped to documents, and none is passed over."""

import os

import pytest

from fhir_server.ssmix2.aside import Aside
from fhir_server.ssmix2.reading import SIZE_LIMIT, Unreadable, read
from fhir_server.ssmix2.tree import count, documents, files, look_at, patient_folders, shown
from tests.ssmix2.imports import hospital

PATIENT = "000/001/0000012345"


def path(kind, time="20240510101530123", flag="1", order="9" * 15, day="20240510"):
    return f"{PATIENT}/{day}/{kind}/0000012345_{day}_{kind}_{order}_{time}_01_{flag}"


def grouped(*paths):
    return documents([look_at(each) for each in paths])


def every_file(root):
    return [each for folder in patient_folders(root) for each in files(root, folder)]


def test_the_versions_of_a_document_are_one_and_the_current_one_leads():
    old, new = path("OMP-01", "20240510101530123", "2"), path("OMP-01", "20240510113000456")
    (document,) = grouped(new, old)
    assert document.current is document.newest
    assert document.current.path == new
    assert [each.path for each in document.past] == [old]


def test_a_document_without_a_current_file_is_led_by_its_newest():
    first, last = path("ADT-22", "20240601100000000", "0"), path("ADT-22", "20240601143000000", "0")
    (document,) = grouped(last, first)
    assert document.current is None
    assert document.newest.path == last
    assert [each.path for each in document.past] == [first, last]


def test_of_two_current_files_the_later_one_holds():
    early, late = path("OMP-01", "20240510101530123"), path("OMP-01", "20240510101530124")
    (document,) = grouped(late, early)
    assert document.current.path == late


@pytest.mark.parametrize("more", [{"order": "1" * 15}, {"day": "20240511"}])
def test_another_order_or_another_day_is_another_document(more):
    assert len(grouped(path("OMP-01"), path("OMP-01", **more))) == 2


def test_basic_data_come_first_and_everything_else_in_the_order_it_was_sent():
    late_basics = path("ADT-00", "20250101000000000", day="-")
    visit, result = path("ADT-12", "20240510080000000"), path("OML-11", "20240510160000000")
    assert [each.newest.path for each in grouped(result, visit, late_basics)] == [late_basics, visit, result]


def test_every_file_of_a_hospital_is_given_once_and_counted(tmp_path):
    root = hospital(tmp_path, 5, 80)
    given = every_file(root)
    assert len(given) == len(set(given)) == count(root) == 80
    assert all(look_at(each).wrong is None for each in given)


def test_folders_come_in_order_so_that_two_imports_go_the_same_way(tmp_path):
    root = hospital(tmp_path, 5, 30)
    assert list(patient_folders(root)) == sorted(patient_folders(root))


@pytest.mark.parametrize("place", ["note.txt", "000/note.txt", "000/001/note.txt", f"{PATIENT}/note.txt", f"{PATIENT}/-/note.txt"])
def test_a_file_outside_the_order_of_folders_is_found_and_misplaced(tmp_path, place):
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("x")
    assert every_file(tmp_path) == [place]
    assert "misplaced" in look_at(place).wrong


@pytest.mark.parametrize("wrong", [path("OMP-01").rpartition("/")[2], f"3710000017/{path('OMP-01')}"])
def test_a_well_named_file_that_lies_too_high_or_too_low_is_misplaced(wrong):
    assert "misplaced" in look_at(wrong).wrong


def test_links_are_given_so_that_they_are_refused_and_never_followed(tmp_path):
    (tmp_path / "elsewhere" / "kind").mkdir(parents=True)
    (tmp_path / "elsewhere" / "kind" / "file").write_text("x")
    root = tmp_path / "root"
    (root / PATIENT).mkdir(parents=True)
    for link in ("000/link", "000/001/link", f"{PATIENT}/link"):
        (root / link).symlink_to(tmp_path / "elsewhere")
    assert sorted(every_file(root)) == sorted(["000/link", "000/001/link", f"{PATIENT}/link"])


def test_a_link_is_not_read(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(Unreadable, match="symbolic link"):
        read(tmp_path / "link")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unreadable, match="not a regular file"):
        read(tmp_path / "pipe")


def test_a_file_over_the_limit_is_not_read_and_one_at_the_limit_is(tmp_path):
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(SIZE_LIMIT + 1)
    with pytest.raises(Unreadable, match="larger than 16 MB"):
        read(large)
    os.truncate(large, SIZE_LIMIT)
    assert len(read(large)) == SIZE_LIMIT


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(Unreadable, match="No such file"):
        read(tmp_path / "gone")


def test_a_name_in_another_encoding_can_be_shown():
    name = os.fsdecode("検査.txt".encode("shift_jis"))
    assert shown(name).encode()
    assert shown("a\nb\x1b[31m") == r"a\nb\x1b[31m"
    assert shown("検査.txt") == "検査.txt"


def test_what_was_kept_aside_is_private_and_leaves_again(tmp_path):
    aside = Aside(tmp_path, "3710000017")
    aside.keep("a/b", b"bytes", segment="PID-3", reason="why")
    assert (aside.folder / "a/b").read_bytes() == b"bytes"
    assert (aside.folder / "a/b.reason.json").read_text() == '{"path":"a/b","segment":"PID-3","reason":"why"}'
    assert {each.stat().st_mode & 0o777 for each in aside.folder.rglob("b*")} == {0o600}
    assert aside.folder.parent.stat().st_mode & 0o777 == 0o700
    aside.release("a/b")
    aside.release("a/b")
    assert [each for each in aside.folder.rglob("*") if each.is_file()] == []


def test_bytes_that_could_not_be_read_are_not_kept_as_an_empty_file(tmp_path):
    aside = Aside(tmp_path, "3710000017")
    aside.keep("a", b"earlier", segment=None, reason="why")
    aside.keep("a", None, segment=None, reason="cannot be read")
    assert [each.name for each in aside.folder.iterdir()] == ["a.reason.json"]


@pytest.mark.parametrize("name", ["検" * 80, os.fsdecode("検査.txt".encode("shift_jis"))], ids=["long", "Shift_JIS"])
def test_any_name_that_a_file_can_have_can_be_kept_aside(tmp_path, name):
    aside = Aside(tmp_path, "3710000017")
    aside.keep(name, b"x", segment=None, reason="why")
    assert len(list(aside.folder.iterdir())) == 2
    aside.release(name)
    assert list(aside.folder.iterdir()) == []


@pytest.mark.parametrize("wrong", ["../a", "a/../../b", ".."])
def test_nothing_is_kept_outside_the_aside_folder(tmp_path, wrong):
    with pytest.raises(ValueError, match=r"\.\."):
        Aside(tmp_path, "3710000017").keep(wrong, b"", segment=None, reason="")
