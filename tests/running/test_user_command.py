"""`tsunagi user`: people come, change their work, and leave."""

import re
import stat

import pytest

from tests.running.test_facility_command import ADD_B, B

A = "3710000025"
ADD_A = ("facility", "add", A, "--name", "診療所Ａ", "--type", "clinic", "--role", "viewing")
HANAKO = ("user", "add", "hanako", "--name", "高松 花子", "--kana", "タカマツ ハナコ", "--birth", "1980-02-03")


def password(printed):
    return re.search(r"first password: (\S+)", printed)[1]


def test_f085_somebody_works_at_two_facilities(tsunagi):
    tsunagi(*ADD_B)
    tsunagi(*ADD_A)
    tsunagi(*HANAKO, "--facility", B, "--role", "physician", "--facility", A, "--role", "physician")
    shown = tsunagi("user", "show", "hanako")
    assert f"physician ({B} 病院Ｂ)" in shown
    assert f"physician ({A} 診療所Ａ)" in shown
    assert "to be changed" in shown
    assert "hanako" in tsunagi("user", "list", "--facility", A)
    tsunagi("user", "unassign", "hanako", "--facility", A, "--role", "physician")
    assert "hanako" not in tsunagi("user", "list", "--facility", A)
    tsunagi("user", "assign", "hanako", "--facility", A, "--role", "clerk")
    assert f"clerk ({A})" in tsunagi("user", "list")


def test_f104_somebody_leaves_and_comes_back(tsunagi):
    tsunagi(*ADD_B)
    first = password(tsunagi(*HANAKO, "--facility", B, "--role", "physician"))
    assert "tsunagi cert list" in tsunagi("user", "disable", "hanako")
    assert "disabled" in tsunagi("user", "list")
    tsunagi("user", "enable", "hanako")
    assert password(tsunagi("user", "password", "hanako")) != first
    assert "may try again" in tsunagi("user", "unlock", "hanako")
    assert "no second factor" in tsunagi("user", "factors", "hanako", "--reset")


def test_f053_people_keep_the_ids_they_have(tsunagi, tmp_path):
    tsunagi(*ADD_B)
    tsunagi(*ADD_A)
    people = tmp_path / "people.csv"
    people.write_text(
        "ID,Name,Kana,Birth,Facility,Role\n"
        f"KMIX0012,高松 花子,タカマツ ハナコ,1980-02-03,{B},physician\n"
        f"KMIX0012,高松 花子,タカマツ ハナコ,1980-02-03,{A},physician\n"
        f"kmix0013,丸亀　太郎,マルガメ タロウ,,{B},nurse\n"
        "\n"
        "kmix0014,事務 良子,,,,secretariat\n",
        encoding="cp932",
    )
    passwords = tmp_path / "passwords.csv"
    tsunagi("user", "import", str(people), "--passwords", str(passwords))
    assert [line.partition(",")[0] for line in passwords.read_text().splitlines()] == ["id", "kmix0012", "kmix0013", "kmix0014"]
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600
    assert f"physician ({A} 診療所Ａ)" in tsunagi("user", "show", "kmix0012")
    assert "secretariat (network)" in tsunagi("user", "show", "kmix0014")
    people.write_text(people.read_bytes().decode("cp932") + f"kmix0015,坂出 花,,,{B},clerk\n", encoding="utf-8-sig")
    again = tsunagi("user", "import", str(people))
    assert re.findall(r"^(kmix\d+),\S+$", again, re.MULTILINE) == ["kmix0015"]
    assert tsunagi.fails("user", "import", str(people), "--passwords", str(passwords))[0] == 2


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (f"a b,高松 花子,,,{B},nurse", "line 2: A user's ID"),
        (f"x,高松 花子,,1980/2/3,{B},nurse", "line 2: birth is written YYYY-MM-DD"),
        (f"x,高松 花子,,,{B},boss", "line 2: role is one of"),
        (f"x,高松 花子,,,{A},nurse", f"Facility {A} is not known"),
        (f"x,,,,{B},nurse", "name:"),
        (f"x,高松 花子,,,{B},nurse\nx,丸亀 太郎,,,{B},nurse", "line 3: another person has this ID above"),
    ],
)
def test_of_a_list_with_a_mistake_nobody_is_added(tsunagi, tmp_path, line, what):
    tsunagi(*ADD_B)
    people = tmp_path / "people.csv"
    people.write_text(f"id,name,kana,birth,facility,role\n{line}\nok,坂出 花,,,{B},clerk\n")
    _, said = tsunagi.fails("user", "import", str(people))
    assert what in said
    assert "ok" not in tsunagi("user", "list")


def test_a_list_without_columns_or_that_is_none_is_refused(tsunagi, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("name,surname\nx,y\n")
    assert "the first line names the columns" in tsunagi.fails("user", "import", str(people))[1]
    people.write_bytes(b"id\x81\x00")
    assert "neither UTF-8 nor Shift_JIS" in tsunagi.fails("user", "import", str(people))[1]
    assert "cannot be read" in tsunagi.fails("user", "import", str(tmp_path / "none.csv"))[1]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((*HANAKO,), "tsunagi: --role is needed"),
        ((*HANAKO, "--role", "physician"), "tsunagi: facility: a physician works at a facility"),
        ((*HANAKO, "--facility", A, "--facility", B, "--role", "nurse"), "tsunagi: 2 times --facility and 1 times --role"),
        (("user", "add", "x"), 'tsunagi: --name "高松 花子" is needed'),
        (("user", "add", "x", "--patient", "Patient/none"), "tsunagi: There is no Patient/none"),
        (("user", "add", "x", "--patient", "Patient/1", "--role", "nurse"), "tsunagi: a patient's name is that of the Patient"),
        (("user", "add", "x", "--name", "x", "--birth", "1980"), "tsunagi user add: error: argument --birth"),
        (("user", "show", "nobody"), "tsunagi: User nobody is not known"),
        (("user", "disable", "nobody"), "tsunagi: User nobody is not known"),
    ],
)
def test_what_goes_wrong_is_one_line(tsunagi, words, line):
    status, said = tsunagi.fails(*words)
    assert status in (1, 2)
    assert said.startswith(line), said
