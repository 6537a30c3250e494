"""The two languages of the pages, and which one a person reads.

https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4

Both texts stand side by side wherever there is one: `Text` in Python, `t("…", "…")` in templates. So none is forgotten.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

from fastapi import Request

Language: TypeAlias = Literal["ja", "en"]

DEFAULT: Final[Language] = "ja"
COOKIE: Final = "tsunagi-language"


class Text(NamedTuple):
    """A text in both languages."""

    ja: str
    en: str

    def of(self, language: Language) -> str:
        """Give it in this language."""
        return self.en if language == "en" else self.ja


def language(word: str | None) -> Language | None:
    """Read the name of a language that the pages speak; None for any other."""
    match word:
        case "ja":
            return "ja"
        case "en":
            return "en"
    return None


def preferred(request: Request, remembered: str | None) -> Language:
    """Give the language chosen just now, the one chosen before, or the one the browser asks for."""
    return language(request.query_params.get("lang")) or language(remembered) or accepted(request.headers.get("accept-language", ""))


def accepted(header: str) -> Language:
    """Give the first of our languages by the weights of Accept-Language; Japanese where it names none."""
    weighed = sorted(_weighed(header), key=lambda each: -each[0])
    return next((known for weight, tag in weighed if weight > 0 and (known := language(tag)) is not None), DEFAULT)


def _weighed(header: str) -> Iterator[tuple[float, str]]:
    for part in header[:1000].split(","):
        tag, _, weight = part.strip().partition(";")
        try:
            yield float(weight.strip().removeprefix("q=") or 1), tag.strip().lower().partition("-")[0]
        except ValueError:
            continue
