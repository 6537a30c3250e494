"""JLAC10 codes are read by their parts."""

import pytest

from terminology.systems import jlac10


def test_a_code_of_seventeen_digits_names_analyte_specimen_and_method():
    parts = jlac10.parse("3B035000002327101")
    assert parts == jlac10.Jlac10("3B035", "0000", "023", "271", "01")
    assert parts is not None
    assert parts.code == "3B035000002327101"


@pytest.mark.parametrize("code", ["", "3B0350000023271", "99999999999999999", "3b035000002327101", "3B03500000232710１"])
def test_a_local_code_is_no_jlac10_code(code):
    assert jlac10.parse(code) is None
