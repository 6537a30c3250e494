"""Names in the order of their kana, page by page."""

from fhir_server.search.query import Query
from fhir_server.store.repository import Create
from tests.search.judge import found_by
from tests.search.judge import query as parsed

REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
PEOPLE = {"渡辺": "ワタナベ", "阿部": "アベ", "佐藤": "サトウ", "加藤": "カトウ", "鈴木": "スズキ"}


def person(id, kanji, kana):
    names = [
        {"extension": [{"url": REPRESENTATION, "valueCode": form}], "family": family} for form, family in (("IDE", kanji), ("SYL", kana))
    ]
    return {"resourceType": "Patient", "id": id, "name": names}


async def order(repository, search):
    asked, found = parsed(search), []
    while True:
        page = await repository.find(asked)
        found += [version.id for version in page.versions]
        if page.after is None:
            return found
        asked = Query(asked.type, asked.expression, asked.sort, asked.count, after=page.after)


async def test_names_are_sorted_by_their_kana_and_those_without_come_last(repository, prepared):
    for number, (kanji, kana) in enumerate(PEOPLE.items()):
        found = found_by(person(f"p{number}", kanji, kana))
        await repository.commit([Create(prepared(f"p{number}", found=found))])
    latin = found_by({"resourceType": "Patient", "name": [{"family": "Adams"}]})
    await repository.commit([Create(prepared("adams", found=latin)), Create(prepared("nobody"))])
    kana = ["p1", "p3", "p2", "p4", "p0"]
    for count in (2, 3, 100):
        assert await order(repository, f"Patient?_sort=name&_count={count}") == [*kana, "adams", "nobody"]
        assert await order(repository, f"Patient?_sort=-name&_count={count}") == ["adams", *reversed(kana), "nobody"]


async def test_an_exact_name_and_its_romaji_are_found_in_the_store(repository, prepared):
    for number, (kanji, kana) in enumerate(PEOPLE.items()):
        await repository.commit([Create(prepared(f"p{number}", found=found_by(person(f"p{number}", kanji, kana))))])
    assert await order(repository, "Patient?name:exact=佐藤") == ["p2"]
    assert await order(repository, "Patient?name:exact=佐") == []
    assert await order(repository, "Patient?family:exact=佐藤,鈴木&_sort=name") == ["p2", "p4"]
    assert await order(repository, "Patient?name=satoh") == ["p2"]
    assert await order(repository, "Patient?family=kato,watana&_sort=name") == ["p3", "p0"]
