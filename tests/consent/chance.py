"""Consents, resources and requesters by chance, all from one seeded source."""

from random import Random
from typing import Any

from fhir_server.consent.question import Question
from tests.consent.judging import PURPOSE, TYPES, actor, consent, data, labels, moment

FACILITIES = tuple(f"Organization/{letter}" for letter in "abcdef")
PEOPLE = ("Practitioner/d", "Practitioner/e", "PractitionerRole/r", "Group/g")
ENCOUNTERS = ("Encounter/e1", "Encounter/e2")
CODES = ("2345-7", "7917-8", "718-7")
PROFILES = ("http://example.org/a", "http://example.org/b")
DAYS = ("2026-01-15", "2026-02-10", "2026-02-10T12:00:00+09:00", "2026-02", "2026-03-31", "2026")
MOMENTS = tuple(map(moment, ("2026-03-31T23:59:59.999+09:00", "2026-04-01T00:00:00.000+09:00", "2026-04-01T09:00:00+09:00")))
REACHED = {"Encounter/e1": frozenset({"Observation/o3", "Observation/o4", "DocumentReference/o5", "Procedure/o6"})}
ROLES = {"Practitioner/d": frozenset({"PractitionerRole/r"})}


def some(chance: Random, values: Any, most: int = 2) -> list[Any]:
    return chance.sample(list(values), chance.randint(1, most))


def period(chance: Random, days: tuple[str, ...]) -> dict[str, str]:
    first, last = sorted(some(chance, days) * 2)[:2] if chance.random() < 0.3 else sorted(chance.choices(days, k=2))
    return chance.choice([{"start": first}, {"end": last}, {"start": min(first, last)[:7], "end": last}])


def random_rule(chance: Random, depth: int = 0, *, plain: bool = False) -> dict[str, Any]:
    """A rule with some conditions and exceptions; only organizations and the clock where `plain`."""
    made: dict[str, Any] = {}
    if depth or chance.random() < 0.9:
        made["type"] = chance.choice(["permit", "deny"] if depth else ["permit", "permit", "deny"])
    if chance.random() < (0.8 if plain else 0.5):
        named = some(chance, FACILITIES if plain else FACILITIES + PEOPLE, 4)
        made["actor"] = [actor(each, chance.choices(["IRCP", "CST", "AUT"], [8, 2, 1])[0]) for each in named]
    if chance.random() < 0.2:
        made["period"] = period(chance, ("2026-03-31", "2026-04-01", "2026-04-02"))
    if not plain:
        _conditions(chance, made)
    exceptions = chance.choices([0, 1, 2, 3], [5, 4, 3, 1])[0] if depth < 3 else 0
    if exceptions:
        made["provision"] = [random_rule(chance, depth + 1, plain=plain) for _ in range(exceptions)]
    return made


def _conditions(chance: Random, made: dict[str, Any]) -> None:
    if chance.random() < 0.3:
        made["purpose"] = [{"system": PURPOSE, "code": code} for code in some(chance, ["TREAT", "ETREAT", "HRESCH"])]
    if chance.random() < 0.2:
        made["dataPeriod"] = period(chance, DAYS[:3])
    if chance.random() < 0.25:
        made["securityLabel"] = labels(*some(chance, [*"LNRV", "ETH", "PSY"]))
    if chance.random() < 0.15:
        kind = (TYPES, chance.choice(["Observation", "Procedure"])) if chance.random() < 0.7 else ("urn:ietf:rfc:3986", PROFILES[0])
        made["class"] = [{"system": kind[0], "code": kind[1]}]
    if chance.random() < 0.15:
        made["code"] = [{"coding": [{"system": "http://loinc.org", "code": code} for code in some(chance, CODES)]}]
    if chance.random() < 0.25:
        meaning = chance.choice(["instance", "related", "dependents", "authoredby"])
        of = {"instance": [f"Observation/o{n}" for n in range(40)], "authoredby": PEOPLE[:2]}.get(meaning, ENCOUNTERS)
        made["data"] = data(meaning, *some(chance, of))
    if chance.random() < 0.03:
        made["modifierExtension"] = [{"url": "urn:unknown"}]


def random_consents(chance: Random, *, plain: bool = False) -> list[dict[str, Any]]:
    """One to four Consents of Patient/p, some of them network forms, some not in force."""
    return [_consent(chance, f"c{n}", plain=plain) for n in range(chance.choices([1, 2, 3, 4], [4, 4, 2, 1])[0])]


def _consent(chance: Random, id: str, *, plain: bool) -> dict[str, Any]:
    root = random_rule(chance, plain=plain)
    elements: dict[str, Any] = {
        "status": chance.choices(["active", "inactive", "draft"], [12, 1, 1])[0],
        "dateTime": chance.choice(["2026-03-01", "2026-03-02", "2026-03-03"]),
        "organization": [{"reference": each} for each in (some(chance, FACILITIES) if chance.random() < 0.7 else [])],
    }
    if chance.random() < 0.1:
        elements["verification"] = [{"verified": True, "verificationDate": chance.choice(["2026-04-01", "2026-05-01"])}]
    if chance.random() < 0.4:
        elements["policy"] = [{"uri": "urn:tsunagi:policy:listed"}]
    if plain and (root.get("type") != "deny" or chance.random() < 0.5):
        root["purpose"] = [{"system": PURPOSE, "code": "TREAT"}]
    return consent(root, id, **elements)


def random_question(chance: Random) -> Question:
    return Question(
        tuple(some(chance, FACILITIES)),
        frozenset(some(chance, PEOPLE) if chance.random() < 0.6 else ()),
        chance.choices(["TREAT", "ETREAT", "HRESCH", "BTG"], [5, 2, 1, 1])[0],
        chance.choice(MOMENTS),
    )


def random_resource(chance: Random, n: int) -> dict[str, Any]:
    """An Observation, DocumentReference, Procedure or RelatedPerson of Patient/p."""
    type = chance.choices(["Observation", "DocumentReference", "Procedure", "RelatedPerson"], [6, 2, 2, 1])[0]
    made: dict[str, Any] = {"resourceType": type, "id": f"o{n}"}
    meta: dict[str, Any] = {}
    if chance.random() < 0.5:
        meta["security"] = [
            chance.choice([*labels(*"LNRV", "ETHUD", "PSY", "SUD"), {"code": "R"}, {"code": "PSY"}]) for _ in range(chance.randint(1, 2))
        ]
    if chance.random() < 0.3:
        meta["profile"] = some(chance, PROFILES)
    made |= {"meta": meta} if meta else {}
    made |= {"patient" if type == "RelatedPerson" else "subject": {"reference": "Patient/p"}}
    if type != "RelatedPerson":
        _clinical(chance, type, made)
    if chance.random() < 0.15:
        made["extension"] = [{"url": "urn:x", "valueReference": {"reference": chance.choice(ENCOUNTERS)}}]
    return made


def _clinical(chance: Random, type: str, made: dict[str, Any]) -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": chance.choice(CODES)}]}
    made["type" if type == "DocumentReference" else "code"] = code if chance.random() < 0.7 else {"text": "x"}
    if chance.random() < 0.2:
        made["contained"] = [{"resourceType": "Specimen", "id": "s", "type": code}]
    if chance.random() < 0.8:
        span = {"start": chance.choice(DAYS[:2]), "end": "2026-03-31"}
        by_type = {"Observation": ("effectiveDateTime", "effectivePeriod"), "Procedure": ("performedDateTime", "performedPeriod")}
        point, interval = by_type.get(type, ("date", None))
        if interval is not None and chance.random() < 0.3:
            made[interval] = span
        else:
            made[point] = "2026-02-10T12:00:00+09:00" if type == "DocumentReference" else chance.choice(DAYS)
    if chance.random() < 0.5:
        who = {"reference": chance.choice(PEOPLE[:3])}
        made |= {
            "Observation": {"performer": [who]},
            "Procedure": {"recorder": who} if chance.random() < 0.5 else {"performer": [{"actor": who}]},
            "DocumentReference": {"author": [who]},
        }[type]
    if chance.random() < 0.4:
        to = {"reference": chance.choice(ENCOUNTERS)}
        made |= {"context": {"encounter": [to]}} if type == "DocumentReference" else {"encounter": to}
