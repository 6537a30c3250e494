"""Names and other text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.expression import Exactly, StartsWith
from fhir_server.search.types.romaji import MOST, readings
from fhir_server.search.types.string import fold, index_prefix, squeeze, words
from tests.search.judge import answers, found_by, query

SATO = {
    "resourceType": "Patient",
    "name": [
        {"text": "佐藤 太郎", "family": "佐藤", "given": ["太郎"]},
        {"text": "サトウ タロウ", "family": "サトウ", "given": ["タロウ"]},
    ],
    "address": [{"text": "香川県高松市番町1丁目8-15", "city": "高松市", "postalCode": "760-0017"}],
}
CHALMERS = {"resourceType": "Patient", "name": [{"family": "O'Brien-Châlmers", "given": ["Peter", "James"]}]}


@pytest.mark.parametrize(
    "search",
    [
        "name=佐", "name=佐藤", "name=太郎", "name=佐藤太", "name=佐藤太郎", "name=佐藤 太郎", "name=佐藤　太郎", "name=太郎佐藤",
        "name=さとう", "name=サトウ", "name=ｻﾄｳ", "name=さとう たろう", "family=佐", "given=タロ", "family=ｻﾄ",
        "address=香川県", "address=香川県高松市番町１丁目", "address-postalcode=7600017", "address-postalcode=760-00", "address-city=高松",
    ],
)  # fmt: skip
def test_a_japanese_name_is_found_however_it_is_typed(search):
    assert answers(f"Patient?{search}", SATO)


@pytest.mark.parametrize("search", ["name=藤", "name=郎", "name=佐籐", "family=太郎", "given=佐藤", "name=佐藤次郎", "name=サトウタロウタ"])
def test_a_name_that_begins_otherwise_is_not_found(search):
    assert not answers(f"Patient?{search}", SATO)


@pytest.mark.parametrize(
    "search", ["family=o'brien", "family=OBrien", "family=obrienchalm", "name=peter", "name=JAMES", "name=Peter James O'Brien"]
)
def test_case_accents_and_punctuation_do_not_count(search):
    assert answers(f"Patient?{search}", CHALMERS)


def test_exact_wants_every_character():
    assert answers("Patient?name:exact=佐藤 太郎", SATO)
    assert answers("Patient?family:exact=O'Brien-Châlmers", CHALMERS)
    assert not answers("Patient?family:exact=O'Brien-Chalmers", CHALMERS)
    assert not answers("Patient?name:exact=佐", SATO)


def test_contains_looks_inside():
    assert answers("Patient?name:contains=藤太", SATO)
    assert answers("Patient?name:contains=とう", SATO)
    assert answers("Patient?address:contains=高松", SATO)
    assert not answers("Patient?name:contains=花子", SATO)


def test_s48_contains_takes_every_character_as_itself():
    assert not answers("Patient?name:contains=.*", SATO)
    assert answers("Patient?name:contains=.*", {"resourceType": "Patient", "name": [{"text": ".*"}]})


def test_dots_are_no_accents():
    assert fold("が") == "ガ"
    assert fold("ｶﾞ") == "ガ"
    assert fold("か") != fold("が")
    assert fold("é") == "e"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("渡邊", "渡辺"), ("渡辺", "渡邉"), ("髙﨑", "高崎"), ("シヨウイチ", "ショウイチ"), ("ショウイチ", "しよういち"), ("ﾘﾖｳ", "リョウ"),
        ("ヴァイオリン", "ゔぁいおりん"), ("ヴァイオリン", "バイオリン"), ("ミヅキ", "みずき"), ("カヲル", "かおる"), ("サトウ", "サトー"),
        ("サトー", "ｻﾄｳ"), ("サトオ", "さとう"), ("ケイコ", "ケーコ"), ("ユーキ", "ゆうき"), ("オオノ", "おーの"), ("コンピュータ", "こんぴゅうた"),
        ("イノ ウエ", "いのうえ"), ("澤田 眞", "沢田真"), ("葛\U000e0100城", "葛城"), ("𠮷田", "吉田"),
    ],
)  # fmt: skip
def test_variants_of_kana_and_kanji_are_one(written, asked):
    assert answers(f"Patient?name={asked}", {"resourceType": "Patient", "name": [{"text": written}]})


@pytest.mark.parametrize(
    ("written", "asked"),
    [("斉藤", "斎藤"), ("か", "が"), ("ビョウ", "ヒョウ"), ("太田", "大田"), ("サトミ", "サトウ"), ("オノ", "オオノ"), ("ケコ", "ケイコ")],
)
def test_different_names_stay_different(written, asked):
    assert not answers(f"Patient?name={asked}", {"resourceType": "Patient", "name": [{"text": written}]})


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("サトウ タロウ", "sato"), ("サトウ タロウ", "satou"), ("サトウ タロウ", "satō"), ("サトウ タロウ", "satoh"), ("サトウ タロウ", "Sato Taro"),
        ("サトウ タロウ", "taro sato"), ("サトウ タロウ", "SATOU-TAROU"), ("ショウイチ", "syoiti"), ("ショウイチ", "shoichi"), ("シンイチ", "shinichi"),
        ("シンイチ", "shin'ichi"), ("シンイチ", "shin’ichi"), ("ホンマ", "homma"), ("ホンマ", "honma"), ("ハットリ", "hattori"), ("オオノ", "ohno"),
        ("オオノ", "ono"), ("ユウコ", "yuko"), ("リュウイチロウ", "ryuichiro"), ("ヂュンイチ", "junichi"), ("フジタ", "huzita"), ("ツジ", "tsuji"),
        ("マッチャン", "matchan"), ("スズキ", "suzu"), ("イノウエ", "inoue"),
    ],
)  # fmt: skip
def test_a_name_in_kana_is_found_by_its_romaji(written, asked):
    family, _, given = written.partition(" ")
    name = {"text": written, "family": family, **({"given": [given]} if given else {})}
    assert answers(f"Patient?name={asked}", {"resourceType": "Patient", "name": [name]})


@pytest.mark.parametrize(
    ("written", "asked"), [("サトウ", "sado"), ("サトウ", "to"), ("オノ", "oono"), ("ナガタ", "nagano"), ("サトウ", "satx")]
)
def test_romaji_of_another_name_does_not_find_it(written, asked):
    assert not answers(f"Patient?name={asked}", {"resourceType": "Patient", "name": [{"text": written}]})


def test_a_latin_name_is_still_found_by_its_letters():
    assert answers("Patient?name=mari", {"resourceType": "Patient", "name": [{"text": "Maria"}]})
    assert answers("Patient?name=mari", {"resourceType": "Patient", "name": [{"text": "マリア"}]})


@given(st.text(st.sampled_from("aiueoknstmhrywgzdbpfjl'- ̄ō"), max_size=41))
def test_romaji_has_a_bounded_number_of_readings(text):
    assert len(readings(text)) <= MOST


def test_an_exact_text_is_found_through_the_index():
    (_, asked) = query("Patient?name:exact=佐藤 太郎").expression.parts
    assert asked.parts == (StartsWith("name", "佐藤太郎"), Exactly("name", "佐藤 太郎"))


KANA = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


def test_a_name_is_sorted_by_its_kana():
    kana = {"extension": [{"url": KANA, "valueCode": "SYL"}], "family": "ワタナベ", "given": ["ハナコ"]}
    kanji = {"extension": [{"url": KANA, "valueCode": "IDE"}], "family": "渡邉", "given": ["花子"]}
    stored = found_by({"resourceType": "Patient", "name": [kanji, kana]})
    assert [word for word in stored.words if word.startswith("name<")] == ["name<ワタナベ ハナコ"]


def test_a_middle_dot_parts_words():
    assert words("マリア・テレサ") == ("マリアテレサ", "マリア", "テレサ")


def test_a_long_text_is_found_by_its_beginning_only():
    long = {"resourceType": "Library", "description": " ".join(f"word{number}" for number in range(40))}
    assert answers("Library?description=word0 word1", long)
    assert answers("Library?description:contains=word39", long)
    assert not answers("Library?description=word39", long)


@given(st.text(min_size=1), st.integers(min_value=1, max_value=20))
def test_every_beginning_of_a_text_finds_it(text, length):
    name = {"resourceType": "Patient", "name": [{"text": text}]}
    stored = found_by(name)
    asked = squeeze(text)[:length]
    if asked:
        assert any(word.startswith(f"name:{asked}") for word in stored.words)
        assert f"name:{index_prefix(asked)}" in stored.entries


@given(st.text())
def test_what_is_folded_is_folded_already(text):
    assert squeeze(squeeze(text)) == squeeze(text)
