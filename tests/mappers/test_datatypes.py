"""HL7 v2 data types as FHIR element types."""

from decimal import Decimal

import pytest

from mappers.datatypes import coding_systems, cwe, result, ts, unit, xad, xpn, xtn
from mappers.hl7v2.message import Delimiters, Repetition

CODE = "3712345678"
JLAC = "3A010000002327101"


def field(text):
    return Repetition(tuple(text.split("^")), Delimiters())


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (f"{JLAC}^総蛋白^JC10", [JLAC]),
        (f"{JLAC}^総蛋白^JC10^TP^ＴＰ^99X03", [JLAC, "TP"]),
        (f"TP^ＴＰ^99X03^{JLAC}^総蛋白^JC10", ["TP", JLAC]),
        ("TP^ＴＰ^99X03", ["TP"]),
        (f"^^^{JLAC}^総蛋白^JC10", [JLAC]),
        ("^^^TP^ＴＰ^99X03", ["TP"]),
    ],
)
def test_all_six_layouts_of_cwe_keep_every_coding(text, codes):
    codings = cwe.codings(field(text), CODE)
    assert [coding["code"] for coding in codings] == codes
    systems = {coding["code"]: coding["system"] for coding in codings}
    assert systems.get(JLAC, coding_systems.JLAC10) == coding_systems.JLAC10
    assert systems.get("TP", "urn:tsunagi:3712345678:code:99X03") == "urn:tsunagi:3712345678:code:99X03"


@pytest.mark.parametrize(
    ("name", "code", "uri"),
    [
        ("HOT", "108665201", coding_systems.HOT9),
        ("HOT9", "108665201", coding_systems.HOT9),
        ("JAMISDP01", "1013044400000000", coding_systems.USAGE),
        ("JAMISDP01", "I1100000", coding_systems.USAGE_ADDITIONAL),
        ("JAMISDP01", "77L", coding_systems.BODY_SITE),
        ("MDCDX2", "20054174", coding_systems.DISEASE_KEY),
        ("MDCDX2", "TSQF", coding_systems.DISEASE_EXCHANGE),
        ("HL70069", "01", coding_systems.DEPARTMENT),
        ("HL70063", "SEL", "http://terminology.hl7.org/CodeSystem/v2-0063"),
        ("J-FAGY", "J9FA21180000", "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS"),
        ("J-FAGY", "J9NK12000000", "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyNonFoodNonMedicationAllergen_CS"),
        ("JC10", "023", "urn:tsunagi:hl7v2:JC10"),
        ("JHSD0001", "C0", "urn:tsunagi:hl7v2:JHSD0001"),
        ("99O03", "E001", "urn:tsunagi:3712345678:code:99O03"),
        ("99 <script>", "1", "urn:tsunagi:3712345678:code:99script"),
    ],
)
def test_a_coding_systems_name_and_the_form_of_the_code_give_its_uri(name, code, uri):
    assert coding_systems.uri(name, code, CODE) == uri


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2024", "2024"),
        ("202406", "2024-06"),
        ("20240618", "2024-06-18"),
        ("2024061812", "2024-06-18T12:00:00+09:00"),
        ("202406181206", "2024-06-18T12:06:00+09:00"),
        ("20240618120607", "2024-06-18T12:06:07+09:00"),
        ("20240618120607.339", "2024-06-18T12:06:07.339+09:00"),
        ("20240618120607.0000", "2024-06-18T12:06:07+09:00"),
        ("20240618120607+0000", "2024-06-18T12:06:07+00:00"),
        ("202406302530", "2024-07-01T01:30:00+09:00"),
        ("20240618000000", "2024-06-18T00:00:00+09:00"),
        ("20240600", "2024-06"),
        ("20240631", None),
        ("20240618126000", None),
        ("202406184800", None),
        ("昨日", None),
        ("", None),
    ],
)
def test_a_time_is_as_precise_as_it_was_written(text, value):
    assert ts.date_time(text) == value


def test_zeros_that_pad_a_date_are_no_midnight():
    assert ts.padded_date_time("20240618000000") == ts.padded_date_time("2024061800") == "2024-06-18"
    assert ts.padded_date_time("20240618000100") == "2024-06-18T00:01:00+09:00"


def test_a_japanese_name_says_how_it_is_written():
    kanji, kana = xpn.human_name(field("山田^太郎^^^^^L^I")), xpn.human_name(field("ヤマダ^タロウ^^^^^L^P"))
    assert kanji == {
        "extension": [{"url": xpn.REPRESENTATION, "valueCode": "IDE"}],
        "use": "usual",
        "text": "山田 太郎",
        "family": "山田",
        "given": ["太郎"],
    }
    assert kana["extension"][0]["valueCode"] == "SYL"
    assert xpn.human_name(field("^^^^^^L^I")) is None


def test_a_representation_code_one_component_early_is_understood():
    assert xpn.human_name(field("山田^太郎^^^^L^I"))["extension"][0]["valueCode"] == "IDE"


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("^PRN^PH^^^^^^^^^087-000-0000", {"system": "phone", "value": "087-000-0000", "use": "home"}),
        ("087-000-0000", {"system": "phone", "value": "087-000-0000", "use": "work"}),
        ("^PRS^CP^^^^^^^^^090-0000-0000", {"system": "phone", "value": "090-0000-0000", "use": "mobile"}),
        ("^NET^Internet^x@example.jp", {"system": "email", "value": "x@example.jp", "use": "work"}),
        ("^WPN^PH^^^^^^^^^", None),
    ],
)
def test_a_number_is_found_where_senders_put_it(text, point):
    assert xtn.contact_point(field(text), "work") == point


def test_an_address_keeps_its_words_and_its_post_code():
    assert xad.address(field("^^^^760-0017^JPN^H^香川県高松市")) == {
        "use": "home",
        "text": "香川県高松市",
        "postalCode": "760-0017",
        "country": "JP",
    }
    assert xad.address(field("^^^^^JPN^H^")) is None


@pytest.mark.parametrize(
    "code",
    [
        "%",
        "mg/dL",
        "g/dl",
        "10*4/uL",
        "/uL",
        "mmol/L",
        "U/L",
        "m[iU]/mL",
        "mL/min/{1.73_m2}",
        "cm",
        "Cel",
        "mm[Hg]",
        "fL",
        "ng/mL",
        "kg/m2",
        "{INR}",
    ],
)
def test_ucum_is_known(code):
    assert unit.is_ucum(code)


@pytest.mark.parametrize("code", ["mEq/L", "IU/L", "mm(hg)", ".10*2/uL", "/(hpf)", "錠", "COI", "mg/", "g//L", "X10^4", ""])
def test_what_is_no_ucum_is_not_passed_off_as_it(code):
    assert not unit.is_ucum(code)


def test_a_unit_outside_ucum_keeps_the_senders_system():
    assert unit.unit(field("mEq/L^mEq/L^99XYZ"), CODE) == {"unit": "mEq/L", "system": "urn:tsunagi:3712345678:code:99XYZ", "code": "mEq/L"}


@pytest.mark.parametrize(
    ("text", "comparator", "value"),
    [
        ("10.0", None, "10.0"),
        ("-0.50", None, "-0.50"),
        ("１２．３", None, "12.3"),
        ("< 300", "<", "300"),
        (">= 200", ">=", "200"),
        ("＜0.5", "<", "0.5"),
        ("0.3以下", "<=", "0.3"),
        ("100以上", ">=", "100"),
        ("5未満", "<", "5"),
        ("≧1.00", ">=", "1.00"),
    ],
)
def test_a_number_keeps_its_digits_and_its_comparator(text, comparator, value):
    quantity = result.quantity(text, {})
    assert (quantity.get("comparator"), str(quantity["value"])) == (comparator, value)
    assert isinstance(quantity["value"], Decimal)


@pytest.mark.parametrize("text", ["(1+)", "陰性", "  +-", " 1 - 4", " 52 / 3", "1:40", "", "NaN", "Infinity", "1_000", "判定保留"])
def test_what_is_no_number_is_no_quantity(text):
    assert result.quantity(text, {}) is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("6.7-8.3", "6.7", "8.3"),
        ("6.70～8.3", "6.70", "8.3"),
        ("0.30以下", None, "0.30"),
        ("< 5", None, "5"),
        ("40以上", "40", None),
        ("(-)", None, None),
        ("男 13-17", None, None),
    ],
)
def test_a_reference_range_is_read_and_kept_as_text(text, low, high):
    parts = result.reference_range(text, {"unit": "g/dL"})
    assert parts["text"] == text
    assert (str(parts["low"]["value"]) if "low" in parts else None, str(parts["high"]["value"]) if "high" in parts else None) == (low, high)
