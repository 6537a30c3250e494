"""What the network asks of passwords, by each of its rules, and what others would guess."""

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.guessable import Personal, weaknesses
from fhir_server.auth.accounts.policy import POLICIES
from fhir_server.auth.accounts.romaji import one_spelling

TARO = Personal(("山田 太郎", "ヤマダ タロウ"), "1975-01-02")
NOBODY = Personal()


async def codes(policy: str, password: str, login: str = "a0001", personal: Personal = NOBODY) -> list[str]:
    return [each.code for each in await POLICIES[policy].refusals(password, login, personal)]


@pytest.mark.parametrize(
    ("policy", "password", "missing"),
    [
        ("network", "x7kq2mpa", []),
        ("network", "x7kq2mp", ["too-short"]),
        ("network", "xrkqvmpa", ["no-digits"]),
        ("network", "83910472", ["no-letters", "guessable"]),
        ("gl6-a", "x7kq2mpa+", ["too-short"]),
        ("gl6-a", "x7kq2mpav9tzw", ["no-symbols"]),
        ("gl6-a", "x7kq2mpav9tz#", []),
        ("gl6-b", "x7kq2mpa", ["no-symbols"]),
        ("gl6-b", "x7kq2mp#", []),
        ("gl6-c", "x7kq2mp#", []),
        ("gl6-c", "xrkqvmp#", ["no-digits"]),
        ("network", "x7kq2mpa" * 17, ["too-long"]),
        ("network", "x7kq2\x00mpa", ["characters"]),
        ("network", "x7kq2\ud800mpa", ["characters"]),
    ],
)
async def test_l03_each_rule_says_what_a_password_lacks(policy, password, missing):
    assert await codes(policy, password) == missing


def test_l03_the_rules_differ_in_how_long_a_password_lasts_and_in_the_second_factor():
    assert {code: (rule.months, rule.second_factor) for code, rule in POLICIES.items()} == {
        "network": (2, False),
        "gl6-a": (None, False),
        "gl6-b": (2, False),
        "gl6-c": (None, True),
    }


@pytest.mark.parametrize(
    "password", ["taro1975", "password1", "Passw0rd", "sakura2020", "kagawa2024", "qwerty123", "byouin2026", "1q2w3e4r5t"]
)
async def test_f057_words_and_patterns_are_refused_whoever_chooses_them(password):
    assert await codes("network", password) == ["guessable"]


@pytest.mark.parametrize(
    "password",
    ["taro1975", "x9TAROkq2", "x9t4r0kq2w", "x9tarohkq2", "yamada#7vq2", "YMQ7太郎vzx2k", "vq7たろうzx2k", "vq7ﾀﾛｳzx2km", "x9.t.a.r.o.kq2"],
)
async def test_f057_ones_own_name_is_refused_in_any_script(password):
    assert "name" in await codes("network", password, personal=TARO)


@pytest.mark.parametrize(("kana", "romaji"), [
    ("サトウ", "satoh"), ("ジュンイチ", "jun'ichi"), ("ショウイチ", "syoiti"), ("シヨウイチ", "shoichi"), ("キョウコ", "kyoko"),
    ("オオノ", "ohno"), ("ホンマ", "homma"), ("リュウタ", "ryuta"), ("ハットリ", "hattori"), ("ケイコ", "keiko"), ("ツヅキ", "tsuzuki"),
    ("ワタナベ", "watanabe"), ("フジイ", "fujii"), ("マッチ", "matchi"), ("ファン", "fan"),
])  # fmt: skip
def test_a_name_in_kana_and_in_romaji_has_one_spelling(kana, romaji):
    assert one_spelling(kana) == one_spelling(romaji)


@pytest.mark.parametrize(
    "password",
    [
        "vq19750102zx",
        "vqz750102x",
        "vqzx0102km",
        "vqS50kzxm",
        "vq1975zxkm",
        "vqS500102zx",
        "1975-01-02vqz",
        "vq1.2.75zxkm",
        "vqjan02zxk",
        "vq昭和50zx1k",
    ],
)
async def test_f057_ones_own_birth_date_is_refused_in_any_writing(password):
    assert "birth-date" in await codes("network", password, personal=TARO)


@pytest.mark.parametrize("birth_date", ["", "1975", "1975-01", "nonsense", "1975-13-40", "0000-00-00"])
async def test_a_birth_date_that_is_not_whole_is_no_failure(birth_date):
    assert await codes("network", "x7kq2mpa", personal=Personal((), birth_date)) == []


@pytest.mark.parametrize("password", ["vq-yamada.t1-x", "vqYAMADATzx7", "9tadamayvqzk"])
async def test_the_login_id_is_refused_in_a_password(password):
    assert "login" in await codes("network", password, login="yamada.t")


async def test_a_refusal_says_in_both_languages_what_is_missing_and_never_repeats_the_password():
    refusals = await POLICIES["gl6-a"].refusals("taro1975", "a0001", TARO)
    assert [each.code for each in refusals] == ["too-short", "no-symbols", "name", "birth-date"]
    assert "13" in refusals[0].ja
    assert "13" in refusals[0].en
    for each in refusals:
        assert re.search("[ぁ-ん]", each.ja)
        assert each.en.isascii()
        assert "taro" not in each.ja + each.en


def test_every_rule_says_beforehand_what_it_asks_for():
    for rule in POLICIES.values():
        text = " ".join(ja + en for ja, en in rule.requirements)
        assert str(rule.least) in text
        assert ("記号" in text) == rule.symbols
        assert ("か月" in text) == (rule.months is not None)


@pytest.mark.parametrize(
    "password", ["4@8({[<369!1|70$5+%2" * 6, "a1" * 64, "p4ssw0rd" * 16, "4@8({[<369!1|70$5+%2abcdefghijklmnopqrstuvwxyz"]
)
async def test_no_password_takes_long_to_judge(password):
    begun = time.perf_counter()
    await codes("network", password, personal=TARO)
    assert time.perf_counter() - begun < 2  # seconds; zxcvbn alone would take several on a slow machine


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=20), st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_no_text_makes_judging_fail(password, login, name, birth_date):
    weaknesses(password, login, Personal((name,), birth_date))


def account(changed: datetime | None, must_change: bool = False) -> Account:
    return Account(id="a", fhir_user="Practitioner/1", created=datetime(2026, 1, 1, tzinfo=UTC), changed=changed, must_change=must_change)


def test_f058_a_password_is_valid_for_two_months_and_its_end_is_announced_from_seven_days_before():
    rule, set_on = POLICIES["network"], datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
    end = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
    assert rule.expires(set_on) == end
    quiet = rule.standing(account(set_on), end - timedelta(days=7, seconds=1))
    assert (quiet.due, quiet.warns, quiet.days_left, quiet.ja, quiet.en) == (False, False, 8, "", "")
    told = rule.standing(account(set_on), end - timedelta(days=7))
    assert (told.due, told.warns, told.days_left) == (False, True, 7)
    assert "あと7日" in told.ja
    assert "7 days" in told.en
    last = rule.standing(account(set_on), end - timedelta(seconds=1))
    assert (last.due, last.warns, last.days_left) == (False, True, 1)
    over = rule.standing(account(set_on), end)
    assert (over.due, over.days_left) == (True, 0)


def test_two_months_after_new_years_eve_is_the_end_of_february_in_japan():
    set_on = datetime(2025, 12, 30, 16, 0, tzinfo=UTC)  # the 31st, 01:00 in Japan
    assert POLICIES["gl6-b"].expires(set_on) == datetime(2026, 2, 27, 16, 0, tzinfo=UTC)  # the 28th, 01:00


def test_where_passwords_do_not_expire_only_the_first_one_is_due():
    rule, now = POLICIES["gl6-a"], datetime(2036, 4, 1, tzinfo=UTC)
    assert not rule.standing(account(datetime(2026, 4, 1, tzinfo=UTC)), now).due
    assert rule.standing(account(datetime(2026, 4, 1, tzinfo=UTC), must_change=True), now).due
    assert rule.standing(account(None), now).due
