"""HL7 v2.5 messages out of bytes."""

import pytest

from mappers.hl7v2.encoding import LENIENT, EncodingError, decode
from mappers.hl7v2.message import MessageError, parse
from mappers.hl7v2.strict import judge
from tests.mappers.synthetic import OBR, PID, SPM, message

HEADER = rb"MSH|^~\&|||||20240510||ADT^A08^ADT_A01|1|P|2.5"


def test_kanji_whose_halves_look_like_delimiters_stay_whole():
    text = "患者｜＾〜＆ソ表能予十暴"
    assert decode(text.encode("iso2022_jp")) == (text, ())
    assert parse(message("ADT-00", "NK1|1|" + "ソ^表" + "^^^^^L^I")).first("NK1").first(2)[2] == "表"


def test_characters_that_only_windows_knows_are_read_with_a_warning():
    row_13 = b"\x1b$B\x2d\x21\x1b(B"  # ① of NEC row 13
    assert decode(b"a" + row_13 + b"b") == ("a①b", (LENIENT,))


def test_half_width_kana_are_read_with_a_warning():
    assert decode(b"\x1b(I\x36\x45\x1b(B x") == ("ｶﾅ x", (LENIENT,))


def test_supplementary_kanji_are_read_with_a_warning():
    assert decode("鄧丂".encode("iso2022_jp_1")) == ("鄧丂", (LENIENT,))


def test_a_line_end_brings_back_ascii():
    text, _ = decode(b"\x1b$B\x2d\x21\rPID|1")
    assert text == "①\rPID|1"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"%PDF-1.4\x00\xff\xfe",
        "患者".encode(),
        "患者".encode("cp932"),
        b"MSH|\x1b$B\x30",
        b"MSH|\x1b$B\x30\x90\x1b(B",
        b"\x1b(I\x7e",
        b"MSH\x00",
        b"MSH|\x1b$(C0!\x1b(B",
    ],
)
def test_bytes_that_are_no_text_are_a_clear_error(data):
    with pytest.raises(MessageError):
        parse(data)


def test_binary_data_is_not_decoded():
    with pytest.raises(EncodingError):
        decode(bytes(range(128, 256)))


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_segments_end_with_cr_lf_or_both(end):
    read = parse(message("ADT-00", "PV1|0001|O", end=end))
    assert [segment.name for segment in read.segments] == ["MSH", "PID", "PV1"]
    assert bool(read.warnings) == (end != "\r")


def test_fields_repetitions_components_and_subcomponents_are_counted_from_one():
    read = parse(HEADER + rb"|" + b"\rPID|1|a~b^c&d^e|\r")
    assert read.msh.raw(2) == r"^~\&"
    assert read.msh.first(9)[2] == read.event == "A08"
    pid = read.first("PID")
    assert [each[1] for each in pid.repetitions(2)] == ["a", "b"]
    assert pid.repetitions(2)[1].subcomponents(2)[2] == "d"
    assert pid[9] == pid.first(9)[3] == ""


def test_escapes_are_undone_after_splitting():
    segment = parse(HEADER + b"\rNTE|1|" + rb"|a\F\b\S\c\T\d\R\e\E\f\.br\g\X41\ ").first("NTE")
    assert segment.text(3) == "a|b^c&d~e\\f\ng\\X41\\"


def test_two_quotes_are_an_explicit_null():
    rxe = parse(HEADER + b'\rRXE||""|""^x').first("RXE")
    assert rxe.is_null(2)
    assert rxe[2] == ""
    assert not rxe.is_null(3)
    assert rxe.first(3)[1] == ""


def test_groups_run_from_opener_to_opener():
    read = parse(message("OML-11", SPM, OBR, "OBX|1", "OBX|2", SPM, OBR))
    assert [[segment.name for segment in group] for group in read.groups("SPM")] == [["SPM", "OBR", "OBX", "OBX"], ["SPM", "OBR"]]


@pytest.mark.parametrize(
    ("data", "segment"),
    [
        (PID.encode("iso2022_jp"), "MSH"),
        (b"MSH|", "MSH"),
        (b"MSH|||||", "MSH"),
        (rb"MSH|^~\&|||||20240510||ADT^A08", "MSH"),
        (rb"MSH|^~\&|||||20240510||ADT^A08|1|P|2.3", "MSH"),
        (rb"MSH|^~\&|||||20240510||ADT|1|P|2.5", "MSH"),
        (HEADER + b"\rnonsense", ""),
    ],
)
def test_what_is_no_message_of_version_2_5_is_refused_saying_where(data, segment):
    with pytest.raises(MessageError) as caught:
        parse(data)
    assert caught.value.segment == segment


def test_the_strict_judge_accepts_what_the_standard_accepts():
    assert judge(parse(message("ADT-00", "EVN||20240510", "PV1|0001|O"))) == ()
    assert judge(parse(message("OML-11", SPM, OBR, "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2||||||F"))) == ()


def test_the_strict_judge_says_segment_and_kind_but_no_value():
    findings = judge(parse(message("OML-11", SPM, OBR, "OBX|ひみつ|NM|3A010000002327101^総蛋白^JC10||7.2||||||F")))
    assert [(finding.segment, finding.number) for finding in findings] == [("OBX", 5)]
    assert "ひみつ" not in findings[0].text


def test_the_strict_judge_misses_a_segment_that_the_structure_demands():
    assert [finding.number for finding in judge(parse(message("ADT-00", "PV1|0001|O")))] == [0]
