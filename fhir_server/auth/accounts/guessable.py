"""Which passwords others would guess: made of the person's own name, ID or birth date, of words, or of patterns (F057, L03)."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from zxcvbn import zxcvbn

from fhir_server.auth.accounts.romaji import one_spelling
from fhir_server.auth.accounts.words import WORDS
from fhir_server.search.types.japanese import ONE_FORM

GUESSES: Final = 10**8
"""As many as zxcvbn counts for eight characters that follow no pattern."""
_JUDGED: Final = 20
"""Characters that zxcvbn looks at: what makes one guess long texts takes it seconds."""

_LOOK_ALIKES = tuple(str.maketrans("0134578@$!", letters) for letters in ("oieastbasi", "oleastbasl"))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ERAS = (
    (2019, 99, "r", "令和", "reiwa"), (1989, 31, "h", "平成", "heisei"), (1926, 64, "s", "昭和", "showa"), (1912, 15, "t", "大正", "taisho"),
)  # fmt: skip
_BIRTH_DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?$")


@dataclass(frozen=True, slots=True)
class Personal:
    """What others may know of a person: names in any script, the birth date as FHIR writes it (1975-01-02, 1975-01 or 1975)."""

    names: tuple[str, ...] = ()
    birth_date: str | None = None


def weaknesses(password: str, login: str, personal: Personal) -> tuple[str, ...]:
    """Name what makes a password guessable: `login`, `name`, `birth-date`; `guessable` of words and patterns.

    It may take a quarter of a second of computing.
    """
    written = unicodedata.normalize("NFKC", password).casefold()
    checks = {
        "login": _holds_login(written, login),
        "name": any(_holds_name(written, name) for name in personal.names),
        "birth-date": _holds_date(written, personal.birth_date or ""),
        "guessable": not written or zxcvbn(written[:_JUDGED], WORDS)["guesses"] < GUESSES,
    }
    return tuple(code for code, found in checks.items() if found)


def _holds_login(written: str, login: str) -> bool:
    """Tell whether the ID, or a long part of it, stands in the password, forwards or backwards."""
    squeezed = _squeezed(written)
    parts = {_squeezed(login), *(part for part in re.split(r"[^a-z]+", login.casefold()) if len(part) >= 4)}
    return any(len(part) >= 3 and (part in squeezed or part[::-1] in squeezed) for part in parts)


def _holds_name(written: str, name: str) -> bool:
    for part in re.split(r"[\s・･,，、.．]+", unicodedata.normalize("NFKC", name)):
        sound = one_spelling(part)
        if len(sound) >= 3:
            if any(sound in each for each in _sounds(written)):
                return True
        elif part and not part.isascii() and part.translate(ONE_FORM) in written.translate(ONE_FORM):
            return True
    return False


def _sounds(written: str) -> Iterator[str]:
    yield one_spelling(written)
    for alike in _LOOK_ALIKES:
        yield one_spelling(written.translate(alike))


def _holds_date(written: str, birth_date: str) -> bool:
    squeezed = _squeezed(written)
    return any(each in squeezed for each in _dates(birth_date))


def _dates(birth_date: str) -> Iterator[str]:
    """Write a date in the ways people do, without separators: 19750102, 750102, 0102, s50, 昭和50, 2jan, the year itself."""
    found = _BIRTH_DATE.match(birth_date)
    if found is None:
        return
    year, month, day = found[1], found[2], found[3]
    yield year
    yield from _of_eras(int(year), month or "")
    if month:
        yield from (year[2:] + month, month + year[2:], _MONTHS[int(month) - 1] + year[2:])
    if month and day:
        yield from _days(year, month, day)


def _of_eras(year: int, month: str) -> Iterator[str]:
    for since, lasted, *letters in _ERAS:
        of_era = year - since + 1
        if 1 <= of_era <= lasted and (of_era >= 10 or month):  # h1 alone says nothing
            for letter in letters:
                yield from (
                    (f"{letter}{of_era}", f"{letter}{of_era:02}") if of_era >= 10 else (f"{letter}{of_era}{month}", f"{letter}0{of_era}")
                )


def _days(year: str, month: str, day: str) -> Iterator[str]:
    short_month, short_day = month.lstrip("0"), day.lstrip("0")
    yield month + day
    yield day + month
    yield f"{short_month}月{short_day}日"
    for number in (day, short_day):
        yield from (_MONTHS[int(month) - 1] + number, number + _MONTHS[int(month) - 1])
    if len(short_month + short_day) >= 3:
        yield short_month + short_day
    yield from (year[2:] + short_month + short_day, short_month + short_day + year[2:], short_day + short_month + year[2:])


def _squeezed(written: str) -> str:
    return "".join(letter for letter in written.casefold() if letter.isalnum())
