"""Medicine codes are told apart by their form."""

import pytest

from terminology.systems import hot


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("1086652", "HOT7"),
        ("108665201", "HOT9"),
        ("1086652010101", "HOT13"),
        ("2149039F1031", "YJ"),
        ("10866520", None),
        ("２１４９０３９", None),
        ("A86652", None),
        ("", None),
    ],
)
def test_the_form_of_a_code_shows_its_system(code, kind):
    assert hot.kind(code) == kind
    assert hot.system(code) == (hot.SYSTEMS[kind] if kind else None)


def test_a_long_code_begins_with_the_shorter_ones():
    assert hot.shortened("1086652010101", "HOT9") == "108665201"
    assert hot.shortened("108665201", "HOT7") == "1086652"
    assert hot.shortened("1086652", "HOT9") is None
    assert hot.shortened("2149039F1031", "HOT7") is None
