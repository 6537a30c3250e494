"""The kinds of notices, and their texts: one file each in `texts`.

`KIND.ja.txt` and `KIND.en.txt` are the secure mail, with the facts as $names. `KIND.mail.txt` is the e-mail: its first line is the
title, and it has no facts at all, so that no patient's data can get into it (F064).
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib import resources
from string import Template

from fhir_server.network.terms import Terms


class Kind(StrEnum):
    """What a notice is about; the comments name the facts that its text needs."""

    PUBLISHED = "published"  # regional_id, facility_id, name, kana, birth_date, own, facilities
    ADDED = "added"  # the same
    EMERGENCY = "emergency"  # facility, user, opened, expires, reason, record
    DISASTER_OPENED = "disaster-opened"  # area, opens, ends, reason, record
    DISASTER_CLOSED = "disaster-closed"  # area, closed, record
    REVIEW_OVERDUE = "review-overdue"  # record, due
    ADDITION_COMING = "addition-coming"  # facility, starts


_LIST = "facilities"
"""The only fact of several lines."""


@cache
def _text(name: str) -> str:
    return (resources.files(__package__) / "texts" / name).read_text(encoding="utf-8")


def secure(kind: Kind, facts: Mapping[str, str]) -> tuple[str, str]:
    """Give the secure mail in Japanese and in English. Raises KeyError for a fact that is missing."""
    told = {name: value if name == _LIST else one_line(value) for name, value in facts.items()}
    return tuple(Template(_text(f"{kind}.{language}.txt")).substitute(told).rstrip("\n") for language in ("ja", "en"))  # type: ignore[return-value]


def plain(kind: Kind, terms: Terms) -> tuple[str, str]:
    """Give title and body of the e-mail: the same for everybody, whatever it is about (F064)."""
    title, _, body = _text(f"{kind}.mail.txt").partition("\n")
    portal = terms.portal or "(ポータルサイト)"
    return title, Template(body.lstrip("\n")).substitute(network=terms.name, portal=portal, inside=terms.portal_inside or portal)


def one_line(value: str) -> str:
    """Give a fact as it may stand in a text: without line breaks and what else cannot be printed, so that it adds no line of its own."""
    return "".join(character if character.isprintable() or character == "\u3000" else " " for character in value)
