"""Invented people in households: couples, children, twins, grandparents, namesakes, and charts of nobody in particular.

NETWORK.md L32: 35 % of patients share their name with another one. All of it follows from a seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from fhir_server.sandbox.addresses import Address, address, mobile
from fhir_server.sandbox.names import Name, family_name, given_name
from fhir_server.sandbox.patients import TODAY, insurance

_TWINS: Final = 0.03  # of births; in truth 0.01
_NAMESAKES: Final = 0.02
_SAME_BIRTH: Final = 0.2  # of the namesakes: hundreds of times as many as there are
_NOBODY: Final = 0.01


@dataclass(frozen=True, slots=True)
class Card:
    """What a health insurance card says: 保険者番号, 記号, 番号, 枝番 ("" for 後期高齢者)."""

    insurer: str
    symbol: str
    number: str
    branch: str


@dataclass(frozen=True, slots=True)
class Somebody:
    """One person. `home` is her telephone there. `before` is what she had before she moved or changed her work, `maiden` her earlier name.

    `others` are the branches of the rest of her household, `kind` is person, twin, unknown, baby or test.
    """

    key: int
    name: Name
    sex: str
    birth: date
    address: Address
    mobile: str | None
    card: Card
    kind: str = "person"
    maiden: tuple[str, str] | None = None
    earlier_address: Address | None = None
    earlier_card: Card | None = None
    others: tuple[str, ...] = ()


def people(seed: int, count: int) -> tuple[Somebody, ...]:
    """Make so many people, and one chart of nobody for each hundred."""
    rng = Random(f"identities {seed}")
    made: list[Somebody] = []
    while len(made) < count:
        made += _household(rng)
        if rng.random() < _NAMESAKES * 2.6:  # people in a household
            made.append(_namesake(rng, rng.choice(made)))
    del made[count:]
    made += _nobodies(rng, max(4, int(count * _NOBODY)))
    return tuple(replace(each, key=key) for key, each in enumerate(made))


def _household(rng: Random) -> list[Somebody]:
    family, home = family_name(rng), address(rng)
    card = _card(rng, 40)
    age = rng.choices((rng.uniform(22, 50), rng.uniform(50, 75), rng.uniform(75, 97)), (35, 35, 30))[0]
    members = [_member(rng, family, home, card, "M", age=age)]
    if rng.random() < 0.6:
        members.append(_member(rng, family, home, card, "F", age=max(20.0, age + rng.gauss(-2, 3)), maiden=family_name(rng)))
    if age < 75 and len(members) == 2:
        members += _children(rng, family, home, card, age)
    if rng.random() < 0.15 and age < 65:
        members.append(_member(rng, family, home, card, rng.choice("MF"), age=age + rng.uniform(22, 32)))
    if len(members) == 1 and rng.random() < 0.5:
        members = [_member(rng, family, home, card, "F", age=age)]
    return _numbered(rng, members)


def _children(rng: Random, family: tuple[str, str], home: Address, card: Card, age: float) -> Iterator[Somebody]:
    for _ in range(rng.choices((0, 1, 2, 3), (30, 30, 30, 10))[0]):
        child = _member(rng, family, home, card, rng.choice("MF"), age=max(0.5, age - rng.uniform(22, 38)))
        if rng.random() >= _TWINS:
            yield child
            continue
        sex = child.sex if rng.random() < 0.6 else rng.choice("MF")
        second = replace(_member(rng, family, home, card, sex, age=1), birth=child.birth)
        given = given_name(rng, sex, child.birth.year)
        while given[1] == child.name.given_kana or given[0] == child.name.given:
            given = given_name(rng, sex, child.birth.year)
        yield replace(child, kind="twin")
        yield replace(second, kind="twin", name=Name(family[0], given[0], family[1], given[1]))


def _member(
    rng: Random, family: tuple[str, str], home: Address, card: Card, sex: str, *, age: float, maiden: tuple[str, str] | None = None
) -> Somebody:
    birth = TODAY - timedelta(days=int(age * 365.25) + rng.randrange(365))
    given, kana = given_name(rng, sex, birth.year)
    name = Name(family[0], given, family[1], kana)
    own = _card(rng, age) if age >= 75 else card
    return Somebody(0, name, sex, birth, home, mobile(rng) if 12 < age < 90 else None, own, maiden=maiden)


def _numbered(rng: Random, members: list[Somebody]) -> list[Somebody]:
    """Give each member of a household his branch, and some an earlier address and insurance."""
    branches = tuple(f"{place:02d}" for place in range(1, len(members) + 1))
    moved = address(rng) if rng.random() < 0.3 else None
    changed = _card(rng, 40) if rng.random() < 0.3 else None
    found = []
    for each, branch in zip(members, branches, strict=True):
        elderly = each.card.insurer.startswith("39")
        card = each.card if elderly else replace(each.card, branch=branch)
        earlier = None if elderly or changed is None else replace(changed, branch=branch)
        others = () if elderly else tuple(other for other in branches if other != branch)
        found.append(replace(each, card=card, earlier_card=earlier, earlier_address=moved, others=others))
    return found


def _namesake(rng: Random, other: Somebody) -> Somebody:
    """Somebody else of the same name, now and then of the same birth date."""
    age = (TODAY - other.birth).days / 365.25
    made = _member(rng, (other.name.family, other.name.family_kana), address(rng), _card(rng, min(age, 74)), other.sex, age=age)
    birth = other.birth if rng.random() < _SAME_BIRTH else made.birth
    return replace(_numbered(rng, [made])[0], name=other.name, birth=birth)


def _card(rng: Random, age: float) -> Card:
    drawn = insurance(rng, age)
    return Card(drawn.insurer, drawn.symbol, drawn.number, "")


def _nobodies(rng: Random, count: int) -> Iterator[Somebody]:
    """Charts of unknown people, newborns without a name, and tests: each is nobody else."""
    test = Card("01379990", "１", "１", "00")
    for place in range(count):
        kind = ("unknown", "baby", "test", "test")[place % 4]
        if kind == "unknown":
            family, given = (
                rng.choice((("不明", "フメイ"), ("氏名不詳", "シメイフショウ"), ("身元不明", "ミモトフメイ"))),
                rng.choice((("男性", "ダンセイ"), ("太郎", "タロウ"))),
            )
            birth, card = date(rng.choice((1900, 1950)), 1, 1), test
        elif kind == "baby":
            family, given = family_name(rng), rng.choice((("ベビー", "ベビー"), ("児", "ジ"), ("第一子", "ダイイチシ")))
            birth, card = TODAY - timedelta(days=rng.randrange(30)), replace(_card(rng, 40), branch="02")
        else:
            family, given = rng.choice((("テスト", "テスト"), ("試験患者", "シケンカンジャ"))), ("太郎", "タロウ")
            birth, card = rng.choice((date(1950, 1, 1), date(1980, 5, 5))), replace(test, number="１２３４５６７")
        yield Somebody(0, Name(family[0], given[0], family[1], given[1]), "M", birth, address(rng), None, card, kind)
