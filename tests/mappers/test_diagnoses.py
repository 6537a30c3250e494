"""PPR-01: diagnoses, their modifiers and what became of them."""

import pytest

from mappers.datatypes import coding_systems
from mappers.mapping import MessageError
from tests.mappers.synthetic import DOCTOR, diagnosis, mapped, resources

PRB = "PRB|AD|20240501|20054174^胃炎^MDCDX2|P1|||20240430|20240601||K297^^I10^O^外来時^JHSD0004|||{suspected}|{outcome}|{ended}|20240425|{text}|1^主診断^JHSD0007|||||||{security}"


def prb(suspected="", outcome="", ended="", text="", security=""):
    return PRB.format(suspected=suspected, outcome=outcome, ended=ended, text=text, security=security)


def condition(*segments):
    return resources(diagnosis(*(segments or (prb(),))), "Condition")[0]


def code_of(concept):
    return concept["coding"][0]["code"]


def test_a_diagnosis_says_what_since_when_and_who_recorded_it():
    found = condition(prb(), f"ORC|NW|P1||||||||||{DOCTOR}")
    assert found["code"]["coding"] == [
        {"system": coding_systems.DISEASE_KEY, "code": "20054174", "display": "胃炎"},
        {"system": coding_systems.ICD10, "code": "K29.7"},
    ]
    assert found["code"]["text"] == "胃炎"
    assert (found["onsetDateTime"], found["recordedDate"]) == ("2024-04-25", "2024-04-30")
    assert "abatementDateTime" not in found
    assert (code_of(found["clinicalStatus"]), code_of(found["verificationStatus"])) == ("active", "confirmed")
    assert [code_of(category) for category in found["category"]] == ["problem-list-item", "O", "1"]
    assert found["recorder"]["display"] == "医師 一郎"
    assert found["identifier"] == [{"system": "urn:tsunagi:3712345678:problem-number", "value": "P1"}]


def test_the_edition_of_icd_10_decides_its_system():
    found = condition(prb().replace("K297^^I10^O^外来時^JHSD0004", "K297^^I10^^^^2013"))
    assert found["code"]["coding"][1] == {"system": coding_systems.ICD10_2013, "code": "K297"}


def test_prefixes_and_suffixes_are_extensions_of_the_code():
    found = condition(
        prb(text="急性胃炎の疑い"),
        "ZPR|4012^急性^MDCDX2|20054174^胃炎^MDCDX2|8002^の疑い^MDCDX2|5B01^急性^MDCDX2|TSQF^胃炎^MDCDX2|8B02^の疑い^MDCDX2|経過観察",
    )
    prefix, suffix = found["code"]["extension"]
    assert prefix["url"].endswith("JP_Condition_DiseasePrefixModifier")
    assert [coding["system"] for coding in prefix["valueCodeableConcept"]["coding"]] == [
        coding_systems.MODIFIER_KEY,
        coding_systems.MODIFIER_EXCHANGE,
    ]
    assert suffix["valueCodeableConcept"]["text"] == "の疑い"
    assert [coding["code"] for coding in found["code"]["coding"]] == ["20054174", "TSQF", "K29.7"]
    assert found["code"]["text"] == "急性胃炎の疑い"
    assert found["note"] == [{"text": "経過観察"}]


def test_a_suspicion_is_provisional():
    assert code_of(condition(prb(suspected="1^^JHSD0005"))["verificationStatus"]) == "provisional"


@pytest.mark.parametrize(
    ("outcome", "status", "ended"),
    [
        ("F^完全に回復した^HL70241", "resolved", "2024-05-20"),
        ("R^回復^HL70241", "resolved", "2024-05-20"),
        ("D^死亡^HL70241", "inactive", "2024-05-20"),
        ("N^回復せず^HL70241", "active", None),
        ("M^寛解^JHSD0006", "remission", "2024-05-20"),
        ("X^治癒^JHSD0006", "resolved", "2024-05-20"),
        ("", "active", None),
    ],
)
def test_an_outcome_decides_whether_the_disease_goes_on(outcome, status, ended):
    found = condition(prb(outcome=outcome, ended="20240520"))
    assert (code_of(found["clinicalStatus"]), found.get("abatementDateTime")) == (status, ended)
    assert ("extension" in found) == bool(outcome)


def test_what_has_ended_is_never_active():
    found = condition(prb(outcome="N^回復せず^HL70241").replace("|20240601||K297", "|20240601|20240515|K297"))
    assert (code_of(found["clinicalStatus"]), found["abatementDateTime"]) == ("inactive", "2024-05-15")


def test_a_deleted_diagnosis_was_entered_in_error():
    found = condition(prb().replace("PRB|AD", "PRB|DE"))
    assert code_of(found["verificationStatus"]) == "entered-in-error"
    assert "clinicalStatus" not in found


@pytest.mark.parametrize(("sent", "label"), [("V^非常に限定^HL70177", "V"), ("R", "R"), ("U", "N"), ("Q", "R")])
def test_the_limit_of_disclosure_becomes_a_security_label(sent, label):
    assert condition(prb(security=sent))["meta"]["security"][0]["code"] == label


def test_every_diagnosis_of_the_list_belongs_to_the_document():
    result = mapped("PPR-01", prb(), prb().replace("|P1|", "|P2|"))
    assert [reference.partition("/")[0] for reference in result.home] == ["Condition", "Condition", "Provenance"]


def test_a_list_without_diagnoses_is_refused():
    with pytest.raises(MessageError):
        mapped("PPR-01", "PV1|1|O")
