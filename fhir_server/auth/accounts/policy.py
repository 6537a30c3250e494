"""What the network asks of passwords, by the rule that it has chosen (NETWORK.md L03, F057-F059).

`network` are the rules of the regional network's handbook; `gl6-a`, `gl6-b` and `gl6-c` the three choices that the Ministry's
guideline gives (厚生労働省 医療情報システムの安全管理に関するガイドライン 第6.0版 Q&A シQ-54: 英数字、記号を混在させた…).
https://www.mhlw.go.jp/stf/shingi/0000516275_00006.html
"""

import asyncio
import calendar
import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.guessable import Personal, weaknesses
from fhir_server.auth.accounts.passwords import LONGEST, normal
from fhir_server.auth.accounts.refusals import Refusal

_ZONE: Final = ZoneInfo("Asia/Tokyo")  # two months are those of the calendar that the rule was written for
_NOTICE: Final = timedelta(days=7)

_GUESSABLE = {
    "login": Refusal("login", "ユーザーIDを含めないでください。", "It must not contain your user ID."),
    "name": Refusal("name", "氏名を含めないでください。", "It must not contain your name."),
    "birth-date": Refusal("birth-date", "生年月日を含めないでください。", "It must not contain your birth date."),
    "guessable": Refusal(
        "guessable",
        "推測されやすい語や並びです。辞書の語、人名、地名、日付、連続した文字や数字を避けてください。",
        "It is easy to guess: avoid words, names, places, dates, and rows of letters or digits.",
    ),
}
REUSED: Final = Refusal(
    "reused", "現在または以前のパスワードは再利用できません。", "Your present or a previous password cannot be used again."
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account's password stands: whether it must be changed now, in how many days at the latest, whether to say so."""

    due: bool
    days_left: int | None = None
    warns: bool = False

    @property
    def ja(self) -> str:
        """The notice, empty where there is nothing to say."""
        if self.due:
            return "パスワードを変更してください。"
        return f"パスワードの有効期限まであと{self.days_left}日です。変更してください。" if self.warns else ""

    @property
    def en(self) -> str:
        """The notice, empty where there is nothing to say."""
        if self.due:
            return "Please change your password."
        days = "1 day" if self.days_left == 1 else f"{self.days_left} days"
        return f"Your password expires in {days}. Please change it." if self.warns else ""


@dataclass(frozen=True, slots=True)
class Policy:
    """One set of rules: `history` counts the passwords before the present one that cannot be used again, nor can that one."""

    code: str
    ja: str
    en: str
    least: int
    symbols: bool
    months: int | None = None
    history: int = 1
    second_factor: bool = False

    @property
    def requirements(self) -> tuple[tuple[str, str], ...]:
        """What a new password must be, in Japanese and English, to be read before one is chosen."""
        kinds = ("英字、数字、記号", "letters, digits and symbols") if self.symbols else ("英字と数字", "letters and digits")
        lines = [
            (f"{self.least}文字以上で、{kinds[0]}を含めてください。", f"At least {self.least} characters, with {kinds[1]}."),
            ("氏名、生年月日、ユーザーID、辞書の語を避けてください。", "Not your name, birth date or user ID, nor words of a dictionary."),
            (REUSED.ja, REUSED.en),
        ]
        if self.months:
            lines.append((f"有効期間は{self.months}か月です。", f"It is valid for {self.months} months."))
        if self.second_factor:
            lines.append(("二要素認証が必要です。", "A second factor is required as well."))
        return tuple(lines)

    async def refusals(self, password: str, login: str, personal: Personal) -> tuple[Refusal, ...]:
        """Say why a password cannot be accepted; whether it was used before, nobody can tell here."""
        password = normal(password)
        formal = self._formal(password)
        said = {each.code for each in formal}
        if said & {"too-long", "characters"}:
            return formal
        found = await asyncio.to_thread(weaknesses, password, login, personal)
        if "too-short" in said:
            found = tuple(code for code in found if code != "guessable")  # whatever is short is guessable, and that was said
        return formal + tuple(_GUESSABLE[code] for code in found)

    def standing(self, account: Account, now: datetime) -> Standing:
        """Tell how the account's password stands at a time."""
        if account.must_change or account.changed is None:
            return Standing(due=True)
        expires = self.expires(account.changed)
        if expires is None:
            return Standing(due=False)
        left = expires - now
        return Standing(left <= timedelta(0), max(0, math.ceil(left / timedelta(days=1))), timedelta(0) < left <= _NOTICE)

    def expires(self, changed: datetime) -> datetime | None:
        """Tell until when a password set at a time is valid: the same day so many months later, or the last of that month."""
        if self.months is None:
            return None
        local = changed.astimezone(_ZONE)
        month = local.month - 1 + self.months
        year, month = local.year + month // 12, month % 12 + 1
        return local.replace(year=year, month=month, day=min(local.day, calendar.monthrange(year, month)[1]))

    def _formal(self, password: str) -> tuple[Refusal, ...]:
        checks = (
            (
                len(password) < self.least,
                "too-short",
                f"{self.least}文字以上にしてください。",
                f"It needs at least {self.least} characters.",
            ),
            (len(password) > LONGEST, "too-long", f"{LONGEST}文字以下にしてください。", f"It may have at most {LONGEST} characters."),
            (
                not all(map(_is_typed, password)),
                "characters",
                "使用できない文字があります。",
                "It contains characters that cannot be used.",
            ),
            (not any(map(str.isalpha, password)), "no-letters", "英字を含めてください。", "It needs a letter."),
            (not any(map(str.isdecimal, password)), "no-digits", "数字を含めてください。", "It needs a digit."),
            (
                self.symbols and not any(map(_is_symbol, password)),
                "no-symbols",
                "記号を含めてください。",
                "It needs a symbol such as # or +.",
            ),
        )
        return tuple(Refusal(code, ja, en) for missing, code, ja, en in checks if missing)


def _is_symbol(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PS"


def _is_typed(letter: str) -> bool:
    return unicodedata.category(letter)[0] != "C"  # no control characters, half characters or unassigned ones


POLICIES: Final = {
    each.code: each
    for each in (
        Policy("network", "ネットワーク利用者規程", "the network's handbook", least=8, symbols=False, months=2),
        Policy("gl6-a", "安全管理ガイドライン6.0 (a)", "guideline 6.0 (a)", least=13, symbols=True),
        Policy("gl6-b", "安全管理ガイドライン6.0 (b)", "guideline 6.0 (b)", least=8, symbols=True, months=2),
        Policy("gl6-c", "安全管理ガイドライン6.0 (c)", "guideline 6.0 (c)", least=8, symbols=True, second_factor=True),
    )
}
"""The rules by their code."""
