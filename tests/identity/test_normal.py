"""NETWORK.md 名寄せ rules: whatever is written in several ways has one form, and that form is its own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.identity import dates, normal
from fhir_server.identity.places import place, same
from fhir_server.search.types.string import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ショウイチ", "シヨウイチ"),
        ("ショウイチ", "ｼｮｳｲﾁ"),
        ("ショウイチ", "ｼﾖｳｲﾁ"),
        ("ショウイチ", "しょういち"),
        ("サトウ", "サトー"),
        ("サトウ", "サトオ"),
        ("サトウ", "ｻﾄ-"),
        ("オオニシ", "オーニシ"),
        ("ケイコ", "ケーコ"),
        ("ヴァレリー", "バレリー"),
        ("シヅカ", "シズカ"),
        ("チヂミ", "チジミ"),
        ("ワタナベ　ショウコ", "ワタナベショウコ"),
        ("ワタナベ・ショウコ", "ワタナベ ショウコ"),
        ("いすゞ", "イスズ"),
        ("ｶﾞｯｺｳ", "がっこう"),
    ],
)
def test_l32_one_sound_is_one_name(one, other):
    assert normal.kana(one) == normal.kana(other)


@pytest.mark.parametrize(
    "forms",
    ["渡邊 渡邉 渡辺", "髙橋 高橋", "宮﨑 宮崎 宮嵜", "齋藤 齊藤 斎藤 斉藤", "大澤 大沢", "濱田 浜田 濵田", "廣田 広田", "佐々木 佐佐木",
     "𠮷田 吉田", "國方 国方 圀方", "冨田 富田", "嶋田 島田 嶌田", "眞惠 真恵", "實 実", "瀧川 滝川", "籔内 薮内 藪内", "渕 淵", "龍 竜", "祢宜 禰宜",
     "栁田 柳田 桺田", "桒原 桑原", "穗積 穂積", "靑木 青木", "德永 徳永", "邊󠄁見 辺見", "神谷 神谷"],
)  # fmt: skip
def test_l32_old_and_variant_kanji_are_one_name(forms):
    assert len({normal.kanji(each) for each in forms.split()}) == 1


@pytest.mark.parametrize(
    "pair", ["渡辺 渡部", "川野 河野", "阿部 安倍", "伊藤 伊東", "坂本 阪本", "サト サトウ", "ユキ ユウキ", "ハルト ハルキ"]
)
def test_l32_other_names_stay_apart(pair):
    one, other = pair.split()
    assert normal.kana(one) != normal.kana(other)
    assert normal.kanji(one) != normal.kanji(other)


def test_the_table_of_variants_leads_to_characters_that_stand_for_themselves():
    assert len(normal.VARIANTS) > 480
    assert not {ord(each) for each in normal.VARIANTS.values()} & normal.VARIANTS.keys()
    for variant, one in normal.VARIANTS.items():
        assert normal.kanji(chr(variant)) == normal.kanji(one), chr(variant)
        assert normal.kanji(fold(chr(variant))) == normal.kanji(one), "search and matching agree"


NAMES = st.text(
    st.sampled_from("ァアィイウヴヵヶーッツヤャヨョヲンヂヅガパ゛゜ｱｧｶﾞﾟあゃをゝゞ々ヾ　 ・渡邊辺髙﨑齋斉𠮷󠄀aZ９（)-'"), max_size=12
)


@given(NAMES)
@settings(max_examples=150, deadline=None)
def test_l32_what_is_normal_is_its_own_normal_form(text):
    for one_form in (normal.kana, normal.kanji, normal.phone, normal.postal_code, normal.insured_part, normal.unvoiced):
        once = one_form(text)
        assert one_form(once) == once, one_form.__name__


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_nothing_that_people_write_is_a_fault(text):
    assert normal.kana(normal.kana(text)) == normal.kana(text)
    place(text)
    assert dates.iso_date(dates.iso_date(text) or "") == dates.iso_date(text)


@pytest.mark.parametrize(
    "written",
    ["087-000-1234", "０８７－０００－１２３４", "0870001234", "+81-87-000-1234", "+81 87 000 1234", "087(000)1234 内線 12", "870001234"],
)
def test_l32_a_phone_is_its_digits(written):
    assert normal.phone(written) == "0870001234"


@pytest.mark.parametrize("written", ["", "なし", "000-0000-0000", "999-9999-9999", "110", "1"])
def test_l32_a_number_that_reaches_nobody_is_no_phone(written):
    assert normal.phone(written) == ""


@pytest.mark.parametrize("written", ["S33.7.14", "s33.07.14", "昭和33年7月14日", "昭和三十三年七月十四日", "昭３３年７月１４日", "S330714", "1958/7/14",
                                     "1958年7月14日", "19580714", "1958-07-14", "1958-07-14T09:00:00+09:00"])  # fmt: skip
def test_l32_a_birth_date_in_any_calendar_is_one_day(written):
    assert dates.iso_date(written) == "1958-07-14"


@pytest.mark.parametrize(
    ("written", "day"),
    [("R8/4/1", "2026-04-01"), ("令和元年5月1日", "2019-05-01"), ("平成31年4月30日", "2019-04-30"), ("H1.1.8", "1989-01-08"),
     ("大正15年12月25日", "1926-12-25"), ("明治45年7月30日", "1912-07-30"), ("M1.1.1", None), ("S65.1.1", None), ("S33.2.30", None),
     ("1958-13-01", None), ("昭和〇年1月1日", None), ("0000", None), ("不明", None), ("", None), ("1958", "1958"), ("1958-07", "1958-07")],
)  # fmt: skip
def test_l32_era_years_have_their_bounds(written, day):
    assert dates.iso_date(written) == day


@pytest.mark.parametrize(
    "written",
    ["香川県高松市見本町99丁目12番3号", "高松市見本町９９丁目１２番３号", "高松市見本町99-12-3", "高松市大字見本町九十九丁目12番地の3", "〒760-0099 香川県高松市見本町99－12－3",
     "香川県高松市見本町99丁目12番地3", "香川県 高松市 見本町 99丁目 12-3 コーポ見本301", "高松市見本町99-12-3-301", "高松市見本町99の12の3 301号室"],
)  # fmt: skip
def test_l32_forms_of_addresses_are_one_house(written):
    here, there = place("香川県高松市見本町99丁目12番3号"), place(written)
    assert here is not None
    assert there is not None
    assert same(here, there)


@pytest.mark.parametrize(
    "other", ["高松市見本町99-12-4", "高松市架空町99-12-3", "丸亀市見本町99-12-3", "高松市見本町99-12", "高松市見本町"]
)
def test_l32_other_houses_stay_apart(other):
    here, there = place("香川県高松市見本町99丁目12番3号"), place(other)
    assert here is not None
    assert there is not None
    assert not same(here, there)


def test_l32_two_flats_of_a_house_are_two():
    one, other = place("高松市見本町99-12-3 コーポ見本301"), place("高松市見本町99-12-3 コーポ見本302号室")
    assert one is not None
    assert other is not None
    assert not same(one, other)


@pytest.mark.parametrize(("text", "town"), [("大和郡山市北町1-2", "大和郡山市北町"), ("三重県四日市市一番町1-2", "四日市市一番町"),
                                            ("千代田区霞が関1-2", "千代田区霞ケ関"), ("香川県綾歌郡綾川町1-2", "綾川町")])  # fmt: skip
def test_l32_names_of_towns_are_left_whole(text, town):
    found = place(text)
    assert found is not None
    assert (found.town, found.house) == (town, (1, 2))


@pytest.mark.parametrize("birth", [None, "1958", "1958-07", "1958-01-01", "1900-01-01", "1899-05-05", "9999-12-31", "1911-11-11"])
def test_l32_dates_that_stand_for_unknown_ones(birth):
    assert dates.is_placeholder(birth)


def test_l32_mistaken_dates_are_near_and_real_days():
    for birth in ("1958-07-14", "2004-02-29", "1988-12-31", "1926-12-25"):
        mistaken = dates.mistaken(birth)
        assert birth not in mistaken
        assert all(dates.near(birth, each) and dates.near(each, birth) and dates.is_day(each) for each in mistaken)


@pytest.mark.parametrize("other", ["1958-07-15", "1958-07-41"[:8] + "41", "1985-07-14", "1958-04-17", "2021-07-14", "1988-07-14"])
def test_l32_a_mistyped_date_is_near(other):
    assert dates.near("1958-07-14", other)


@pytest.mark.parametrize("other", ["1958-07-14", "1961-11-03", "1958-09-25", "1958"])
def test_l32_another_date_is_not(other):
    assert not dates.near("1958-07-14", other)
