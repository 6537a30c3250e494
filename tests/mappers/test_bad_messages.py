"""Whatever a sender writes: a valid transaction or a clear refusal, never a traceback and never an invalid resource."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappers import file_name
from mappers.file_name import FileNameError
from mappers.hl7v2.message import MessageError, parse
from mappers.mapping import KINDS, complete, map_message
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as terminology
from tests.mappers.every_kind import SEGMENTS
from tests.mappers.synthetic import HOSPITAL, PID, message, path

JUNK = [
    *("", '""', "^", "~", "&", "^^", "~~", "&&&", "^^^^^^^^^^^^^^", "|", "\\", "\\X0A\\", "\\.br\\", "\\F\\"),
    *(" ", "a  b", "あ い", "\t", "\x0b", "x" * 2000, "<script>", "JC10", "^^JC10", "1^^JC10^2^^JC10", "^^^ ^ ^99X"),
    *("0", "-", ".5", "1.", "+5", "１", "１e5", "1e999", "1E-400", "NaN", "000.50", "9" * 40, "−5", "5^d", "5^日&日&99", "TAB&x&MR9P"),
    *("0000", "24", "20240230", "2024-01-01", "99999999", "202405109999"),
]

VALIDATOR = Validator(r4(), terminology())


@st.composite
def spoilt_messages(draw):
    kind = draw(st.sampled_from(sorted(KINDS)))
    lines = [PID, *SEGMENTS[kind]]
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("field", "field", "field", "component", "component", "repeat", "drop", "cut"))):
            case "field":
                lines[place] = _with_junk(draw, lines[place], "|")
            case "component":
                fields = lines[place].split("|")
                number = draw(st.integers(min(1, len(fields) - 1), len(fields) - 1))
                fields[number] = _with_junk(draw, fields[number], "^")
                lines[place] = "|".join(fields)
            case "repeat":
                lines.insert(place, lines[draw(st.integers(0, len(lines) - 1))])
            case "drop" if len(lines) > 1:
                lines.pop(place)
            case "cut":
                lines = [*lines[:place], lines[place][: draw(st.integers(0, len(lines[place])))]]
    return kind, message(kind, *lines[1:], pid=lines[0]) if lines else b""


def _with_junk(draw, text, separator):
    parts = text.split(separator)
    number = draw(st.integers(0 if separator == "^" else min(1, len(parts)), len(parts)))
    return separator.join([*parts[:number], draw(st.sampled_from(JUNK)), *parts[number + 1 :]])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoilt_messages())
def test_a_spoilt_message_is_refused_or_gives_a_valid_transaction(spoilt):
    kind, data = spoilt
    try:
        result = complete(map_message(parse(data), file_name.parse(path(kind)), HOSPITAL), [])
    except MessageError as refusal:
        assert str(refusal)
        return
    entries = result.bundle["entry"]
    assert len({entry["request"]["url"] for entry in entries}) == len(entries)
    faults = [issue for entry in entries for issue in VALIDATOR.validate(entry["resource"])]
    assert faults == []


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_of_any_sort_are_a_message_or_a_message_error(data):
    for each in (data, b"MSH|^~\\&|" + data):
        try:
            parse(each)
        except MessageError as refusal:
            assert str(refusal)


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=80)
    | st.from_regex(r"[0-9]{1,9}_[0-9-]{0,9}_[A-Z]{2,4}-?[0-9]{0,3}_[0-9]{1,4}_[0-9]{13,19}_[0-9A]{0,3}_[0-3]", fullmatch=True)
)
def test_text_of_any_sort_is_a_file_name_or_a_file_name_error(text):
    try:
        assert file_name.parse(text).text
    except FileNameError as refusal:
        assert str(refusal)
