"""`tsunagi facility`, and the way from nothing to a user and a client in five commands."""

import re

import pytest

B = "3710000017"
ADD_B = (
    "facility",
    "add",
    B,
    "--name",
    "病院Ｂ",
    "--kana",
    "ビョウインビー",
    "--type",
    "hospital",
    "--role",
    "core",
    "--role",
    "providing",
)


def next_commands(printed):
    return re.findall(r"^  (tsunagi .*)$", printed, re.MULTILINE)


def test_a_facility_a_user_and_a_client_take_five_commands_at_most(tsunagi):
    printed = tsunagi(*ADD_B)
    assert B in printed
    assert any(line.startswith("tsunagi user add") and B in line for line in next_commands(printed))
    printed = tsunagi("user", "add", "hanako", "--name", "高松 花子", "--kana", "タカマツ ハナコ", "--facility", B, "--role", "physician")
    assert re.search(r"first password: \S{12,}", printed)
    assert any(line.startswith("tsunagi client add") for line in next_commands(printed))
    printed = tsunagi("client", "add", "viewer", "--name", "ビューア", "--app", "--redirect", "https://app.example.org/cb")
    assert "client_id viewer" in printed
    assert "smart-configuration" in printed


def test_facilities_are_listed_and_shown(tsunagi):
    tsunagi(*ADD_B)
    tsunagi("user", "add", "hanako", "--name", "高松 花子", "--facility", B, "--role", "nurse")
    assert re.search(rf"{B}\s+病院Ｂ\s+hospital\s+core, providing\s+active", tsunagi("facility", "list"))
    shown = tsunagi("facility", "show", B)
    assert "users: hanako" in shown
    assert "clients: -" in shown


def test_a_facility_leaves_and_returns(tsunagi):
    tsunagi(*ADD_B)
    tsunagi("client", "add", "ehr-b", "--name", "電子カルテ", "--system", "--facility", B, "--role", "system", "--secret")
    left = tsunagi("facility", "leave", B)
    assert "clients disabled: ehr-b" in left
    assert "left" in tsunagi("facility", "list")
    assert "disabled" in tsunagi("client", "list")
    assert tsunagi.fails("user", "add", "x", "--name", "高松 花子", "--facility", B, "--role", "nurse")[0] == 1
    assert "tsunagi client enable ehr-b" in next_commands(tsunagi("facility", "return", B))
    tsunagi("client", "enable", "ehr-b")


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (
            ("facility", "add", "12", "--name", "x", "--type", "clinic", "--role", "viewing"),
            1,
            "tsunagi: A facility is named by the 10 digits",
        ),
        (("facility", "add", B, "--name", "x", "--type", "shop", "--role", "viewing"), 2, "tsunagi facility add: error: argument --type"),
        (("facility", "show", B), 1, f"tsunagi: Facility {B} is not known: `tsunagi facility add {B}` adds it"),
        (("facility", "leave", B), 1, f"tsunagi: Facility {B} is not known"),
        (("facility",), 2, "tsunagi facility: error: name a command: add, list, show, leave, return"),
    ],
)
def test_what_goes_wrong_is_one_line(tsunagi, words, status, line):
    found, said = tsunagi.fails(*words)
    assert (found, said.startswith(line)) == (status, True), said


@pytest.mark.parametrize("command", ["facility", "user", "client", "session"])
def test_each_explains_itself_in_both_languages_with_examples(tsunagi, command, capsys):
    with pytest.raises(SystemExit):
        tsunagi(command, "--help")
    printed = capsys.readouterr().out
    assert "examples:" in printed
    assert f"  tsunagi {command} " in printed
    assert re.search("[ぁ-ん]", printed)
