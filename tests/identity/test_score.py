"""NETWORK.md 名寄せ rules: what makes a match certain, what forbids it, and how everything else is graded."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.identity import guards
from fhir_server.identity.agreement import FIELDS, LEVELS, Field, Level
from fhir_server.identity.demographics import Number, demographics
from fhir_server.identity.score import Comparison, Grade, Rule, both_listed, compare
from tests.identity.patients import FACILITY_A, FACILITY_B, elsewhere, member, name, number, patient

COVERED: set[str] = set()


def compared(one: dict[str, Any], other: dict[str, Any], *, listed: bool = False) -> Comparison:
    """Compare both ways round: it makes no difference."""
    there, back = (compare(demographics(a), demographics(b), listed=listed) for a, b in ((one, other), (other, one)))
    assert there == back
    COVERED.update(guard.code for guard in there.guards)
    return there


def uninsured(**elements: Any) -> dict[str, Any]:
    return elsewhere(number(FACILITY_B, "77"), **elements)


def test_l32_the_same_insured_person_of_the_same_name_and_birth_is_certain():
    found = compared(patient(), elsewhere())
    assert (found.grade, found.rule, found.guards) == (Grade.CERTAIN, Rule.INSURED, ())
    assert found.score >= 0.99
    assert set(found.agreements) == set(Field)
    assert found.agreements[Field.REGIONAL] is Level.MISSING


def test_l32_a_certain_match_survives_every_way_of_writing():
    written = elsewhere(
        number(FACILITY_B, "77"),
        member("1379990:１２３:４５６７８９０:2"),
        name=[name("渡邊", "翔子", "IDE"), name("ﾜﾀﾅﾍﾞ", "ｼﾖｳｺ", "SYL")],
        telecom=None,
        address=[{"text": "高松市見本町９９－１２－３"}],
    )
    assert compared(patient(), written).grade is Grade.CERTAIN


@pytest.mark.parametrize(
    "changed",
    [
        {"name": [name("渡辺", "翔子", "IDE"), name("ワタナベ", "ショウコウ", "SYL")]},
        {"name": [name("渡辺", "翔子", "IDE")]},
        {"name": [name("ワタナベ", "", "SYL")]},
        {"birthDate": "1958-07-15"},
        {"birthDate": None},
        {"gender": "male"},
        {"identifier": [number(FACILITY_B), member("01379990:123:4567890:03")]},
        {"identifier": [number(FACILITY_B), member("01379990:123:4567890:")]},
        {"identifier": [number(FACILITY_B), member("01379991:123:4567890:02")]},
        {"identifier": [number(FACILITY_B)]},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_l32_one_part_of_the_rule_less_is_not_certain(changed):
    assert compared(patient(), elsewhere(**changed)).grade is not Grade.CERTAIN


def test_l32_a_maiden_name_is_likely_and_never_certain():
    married = elsewhere(
        name=[name("山本", "翔子", "IDE"), name("ヤマモト", "ショウコ", "SYL"), name("ワタナベ", "ショウコ", "SYL", "maiden")]
    )
    found = compared(patient(), married)
    assert found.agreements[Field.KANA_FAMILY] is Level.FORMER
    assert found.grade is Grade.PROBABLE


def test_l32_the_elderly_need_no_branch():
    one, other = (
        patient(number(system), member("39379990::1234567:" + branch)) for system, branch in ((FACILITY_A, ""), (FACILITY_B, "00"))
    )
    assert compared(one, other).grade is Grade.CERTAIN


def test_f069_named_by_one_consent_form_of_the_same_name_and_birth_is_certain():
    assert compared(patient(), uninsured()).grade is Grade.PROBABLE
    found = compared(patient(), uninsured(), listed=True)
    assert (found.grade, found.rule) == (Grade.CERTAIN, Rule.FORM)


@pytest.mark.parametrize(
    "changed",
    [
        {"birthDate": "1958-07-15"},
        {"name": [name("渡辺", "次子", "IDE"), name("ワタナベ", "ツギコ", "SYL")]},
        {"gender": "male"},
        {"gender": None},
    ],
)
def test_f069_a_form_does_not_outweigh_who_they_are(changed):
    assert compared(patient(), uninsured(**changed), listed=True).grade is not Grade.CERTAIN


def test_f069_a_form_names_patients_by_their_numbers_at_the_facilities():
    one, other = demographics(patient()), demographics(elsewhere())
    listed = {Number(FACILITY_A, "0000000101"), Number(FACILITY_B, "77")}
    assert both_listed(one, other, listed)
    assert not both_listed(one, other, {Number(FACILITY_A, "0000000101")})
    assert not both_listed(one, other, {Number(FACILITY_A, "77"), Number(FACILITY_B, "0000000101")})


TWIN = [name("渡辺", "祥子", "IDE"), name("ワタナベ", "ヨシコ", "SYL")]
SECOND = member("01379990:123:4567890:03")


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    "twin",
    [
        elsewhere(number(FACILITY_B), SECOND, name=TWIN),
        elsewhere(name=TWIN),  # the other's card
        uninsured(name=TWIN, telecom=None),
        uninsured(name=TWIN, address=None, telecom=None),  # nothing tells where
        uninsured(name=[name("ワタナベ", "ショウカ", "SYL")]),  # twins are often called alike
        uninsured(name=[name("渡邊", "祥子", "IDE")]),
        uninsured(name=TWIN, address=[{"text": "高松市見本町99-12-3"}], telecom=None),
    ],
)
def test_l32_twins_are_never_linked_and_at_most_possible(twin, listed):
    found = compared(patient(), twin, listed=listed)
    assert guards.TWINS in found.guards
    assert found.grade in (Grade.POSSIBLE, Grade.CERTAINLY_NOT)


def test_l32_another_reading_of_the_same_kanji_is_no_twin():
    found = compared(patient(), uninsured(name=[name("渡辺", "翔子", "IDE"), name("ワタナベ", "カケコ", "SYL")]))
    assert guards.TWINS not in found.guards
    assert found.grade is Grade.PROBABLE


@pytest.mark.parametrize("birth", ["1958-01-01", "1900-01-01", "1958", "1958-07", "9999-12-31"])
def test_l32_a_birth_date_that_stands_for_unknown_is_never_certain(birth):
    for listed in (False, True):
        found = compared(patient(birthDate=birth), elsewhere(birthDate=birth), listed=listed)
        assert guards.BIRTH in found.guards
        assert found.grade is not Grade.CERTAIN


def test_l32_a_missing_sex_is_never_certain():
    for unknown in (None, "unknown"):
        assert compared(patient(), elsewhere(gender=unknown)).guards == (guards.SEX,)
    assert compared(patient(gender=None), elsewhere(gender=None)).grade is Grade.PROBABLE


@pytest.mark.parametrize(
    ("family", "given", "script"),
    [("テスト", "タロウ", "SYL"), ("ﾃｽﾄ", "ﾀﾛｳ", "SYL"), ("テスト患者", "太郎", "IDE"), ("不明", "男性", "IDE"), ("フメイ", "ダンセイ", "SYL"), ("氏名不詳", "", "IDE"),
     ("身元不明", "１", "IDE"), ("渡辺", "ベビー", "IDE"), ("ワタナベ", "ベビ-", "SYL"), ("渡辺", "児", "IDE"), ("渡辺", "第一子", "IDE"), ("渡辺翔子の", "子", "IDE"),
     ("渡辺", "新生児", "IDE"), ("ワタナベ", "アカチャン", "SYL"), ("ダミー", "ハナコ", "SYL"), ("XXX", "XX", None), ("TEST", "PATIENT", "ABC"), ("匿名", "希望", "IDE")],
)  # fmt: skip
def test_l32_a_name_of_nobody_is_never_certain(family, given, script):
    names = [name(family, given, script), name("ワタナベ", "ショウコ", "SYL")]
    for listed in (False, True):
        found = compared(patient(name=names), elsewhere(name=names), listed=listed)
        assert guards.NAME in found.guards
        assert found.grade in (Grade.POSSIBLE, Grade.CERTAINLY_NOT)


@pytest.mark.parametrize("real", ["健児", "一子", "子", "明子", "詳子", "美知", "男"])
def test_real_names_are_left_alone(real):
    nobody = guards.names_nobody(demographics(patient(name=[name("渡辺", real, "IDE")])))
    assert nobody is (real == "子")


def test_l32_a_patient_without_a_name_or_with_an_anonymous_one_is_never_certain():
    assert guards.NAME in compared(patient(name=[]), elsewhere()).guards
    assert guards.NAME in compared(patient(name=[name("ワタナベ", "ショウコ", "SYL", "anonymous")]), elsewhere()).guards


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [({}, {"deceasedBoolean": True}, True), ({"deceasedBoolean": False}, {"deceasedDateTime": "2026-01-01"}, True),
     ({"deceasedDateTime": "2026-01-01"}, {"deceasedDateTime": "2026-01-02"}, True), ({}, {"deceasedBoolean": False}, False),
     ({"deceasedBoolean": True}, {"deceasedDateTime": "2026-01-02"}, False)],
)  # fmt: skip
def test_l32_death_at_one_facility_only_waits_for_people(one, other, differs):
    found = compared(patient(**one), elsewhere(**other))
    assert (guards.DECEASED in found.guards) is differs
    assert (found.grade is Grade.CERTAIN) is not differs


@pytest.mark.parametrize("other", ["01379990:123:4567890:03", "01379990:123:9876543:02", "01379990:999:4567890:02"])
def test_l32_another_number_or_branch_of_one_insurer_is_a_contradiction(other):
    found = compared(patient(), elsewhere(number(FACILITY_B, "77"), member(other)), listed=True)
    assert found.guards == (guards.INSURED,)
    assert found.grade is Grade.PROBABLE


def test_l32_another_insurer_is_none_for_people_change_their_work():
    assert compared(patient(), elsewhere(number(FACILITY_B, "77"), member("06379990:1:2:3")), listed=True).grade is Grade.CERTAIN


def test_l32_two_patients_of_one_facility_are_not_linked_by_themselves():
    again = patient(number(FACILITY_A, "0000000999"), member())
    for listed in (False, True):
        found = compared(patient(), again, listed=listed)
        assert found.guards == (guards.FACILITY,)
        assert found.grade is Grade.PROBABLE


def test_f089_two_regional_ids_are_two_persons_already():
    first, second = ({"system": "urn:tsunagi:regional-patient-id", "value": value} for value in ("2500030013", "3700026119"))
    found = compared(patient(number(), member(), first), elsewhere(number(FACILITY_B), member(), second))
    assert found.guards == (guards.REGIONAL,)
    assert compared(patient(number(), first), elsewhere(number(FACILITY_B), first)).agreements[Field.REGIONAL] is Level.SAME


def test_l32_parents_children_and_couples_at_one_address_are_not_one_person():
    husband = patient(name=[name("渡辺", "勇", "IDE"), name("ワタナベ", "イサム", "SYL")], birthDate="1955-03-03", gender="male")
    daughter = elsewhere(number(FACILITY_B), SECOND, name=TWIN, birthDate="1988-02-11")
    for relative in (husband, daughter):
        for card in (SECOND, member("01379990:123:4567890:")):
            assert compared(patient(), {**relative, "identifier": [number(FACILITY_B), card]}).grade is Grade.CERTAINLY_NOT


def test_l32_the_same_name_and_nothing_else_is_not_one_person():
    namesake = uninsured(birthDate="1971-11-03", telecom=None, address=[{"text": "徳島県三好市見本町99丁目1番1号"}])
    assert compared(patient(), namesake).grade is Grade.CERTAINLY_NOT


def test_l32_the_same_name_and_birth_is_probable_and_not_certain():
    assert compared(patient(), uninsured(telecom=None, address=None)).grade is Grade.PROBABLE


def test_l32_a_mistyped_birth_date_or_exchanged_names_are_probable():
    assert compared(patient(), uninsured(birthDate="1958-07-41"[:8] + "04")).grade is Grade.PROBABLE
    swapped = uninsured(name=[name("翔子", "渡辺", "IDE"), name("ショウコ", "ワタナベ", "SYL")])
    assert compared(patient(), swapped).agreements[Field.KANA_GIVEN] is Level.SAME


def test_every_guard_field_and_level_has_its_japanese_and_english_text():
    assert set(FIELDS) == set(Field)
    assert set(LEVELS) == set(Level)
    assert len({guard.code for guard in guards.GUARDS}) == len(guards.GUARDS)
    for ja, en in [*FIELDS.values(), *LEVELS.values(), *((guard.ja, guard.en) for guard in guards.GUARDS)]:
        assert not ja.isascii()
        assert en
    assert guards.TWINS.text.startswith(guards.TWINS.ja)


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "birthDate": st.sampled_from(["1958-07-14", "1958-07-15", "1958-01-01", "1958", "1900-01-01", "1988-11-11"]),
        "gender": st.sampled_from(["male", "female", "unknown"]),
        "name": st.lists(
            st.builds(name, st.sampled_from(["渡辺", "渡邊", "ワタナベ", "山本", ""]), st.sampled_from(["翔子", "ショウコ", "ヨシコ", "", "児"]),
                      st.sampled_from(["IDE", "SYL", None]), st.sampled_from(["usual", "maiden", "anonymous"])), max_size=3),
        "telecom": st.sampled_from([[], [{"system": "phone", "value": "0870001234"}], [{"system": "phone", "value": "09000001111"}]]),
        "address": st.sampled_from([[], [{"text": "高松市見本町99-12-3"}], [{"text": "高松市見本町99-1-1-202", "postalCode": "7600099"}]]),
        "deceasedBoolean": st.booleans(),
        "identifier": st.lists(st.sampled_from([number(), number(FACILITY_B), member(), SECOND, member("01379990:123:4567890:")]), max_size=3),
    },
)  # fmt: skip


@given(CHANGES, CHANGES, st.booleans())
@settings(max_examples=200, deadline=None)
def test_l32_the_order_never_matters_and_no_guard_is_ever_overruled(one, other, listed):
    found = compared(patient(**one), elsewhere(**other), listed=listed)
    assert 0.0 <= found.score <= 1.0
    assert (found.grade is Grade.CERTAIN) == (found.rule is not None)
    if found.grade is Grade.CERTAIN:
        assert not found.guards
        assert found.agreements[Field.KANA_GIVEN] is found.agreements[Field.BIRTH] is found.agreements[Field.SEX] is Level.SAME
