"""Consents that change again before the documents say what the last change allowed: each change holds at once."""

from tests.access.sharing import consent, denied, network, physician, settle, write


async def seen(ask, letter):
    found = (await ask(physician(letter), "GET", "/Observation?_total=accurate")).json()
    assert found["total"] == len(found.get("entry", ()))
    return "".join(sorted(each["resource"]["id"][4].upper() for each in found.get("entry", ())))


async def everybody(ask):
    return [await seen(ask, letter) for letter in "ABC"]


async def test_d02_d05_d06_facilities_come_and_go_before_the_documents_follow(secured, ask):
    await network(secured)
    await write(secured, consent("AB"))
    await settle(secured)
    assert await everybody(ask) == ["AB", "AB", "C"]
    await write(secured, consent("ABC"))
    assert await everybody(ask) == ["ABC", "ABC", "ABC"]
    await write(secured, consent("AC"))
    assert await everybody(ask) == ["AC", "B", "AC"]
    await write(secured, consent("ABC", provision={**consent("ABC")["provision"], "provision": [denied("A")]}))
    assert await everybody(ask) == ["A", "BC", "BC"]
    await write(secured, consent("AB"))
    assert await everybody(ask) == ["AB", "AB", "C"]
    await write(secured, consent("AB", status="inactive"))
    assert await everybody(ask) == ["A", "B", "C"]
    await settle(secured)
    assert await everybody(ask) == ["A", "B", "C"]


async def test_c26_a_condition_on_data_comes_and_goes_before_the_documents_follow(secured, ask):
    await network(secured)
    await write(secured, consent("AB"))
    await settle(secured)
    restricted = {"type": "deny", "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]}
    await write(secured, consent("AB", provision={**consent("AB")["provision"], "provision": [restricted]}))
    assert await everybody(ask) == ["A", "B", "C"]
    await settle(secured)
    assert await everybody(ask) == ["A", "B", "C"]
    await write(secured, consent("AB"))
    assert await everybody(ask) == ["AB", "AB", "C"]
    await settle(secured)
    assert await everybody(ask) == ["AB", "AB", "C"]
