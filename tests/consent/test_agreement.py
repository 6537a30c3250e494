"""The engine in memory and the database agree on who sees what, whatever the consents; and what must hold of any consents does."""

from collections import Counter
from collections.abc import AsyncIterator
from random import Random

import pytest

from fhir_server.consent.decision import decide
from fhir_server.consent.expression import permitted
from fhir_server.consent.facts import Facts, facts
from fhir_server.consent.plain import plain
from fhir_server.consent.provision import DEEPEST
from fhir_server.consent.question import Question
from fhir_server.consent.vocabulary import vocabulary
from fhir_server.search.entries import entries
from fhir_server.search.expression import EVERYTHING, NOTHING
from fhir_server.search.holding import Subject, holds
from fhir_server.store.custody import in_custody
from fhir_server.store.documents import Prepared, document
from fhir_server.store.filter import condition
from fhir_server.store.mongo import Mongo
from profiles.primitives import TOKYO
from tests.conftest import NOW
from tests.consent.chance import FACILITIES, MOMENTS, REACHED, ROLES, random_consents, random_question, random_resource
from tests.consent.judging import consent, labels, read, rule
from tests.search.judge import parameters

RESOURCES, ROUNDS = 120, 160
KNOWN = {"reached": REACHED, "roles": ROLES}


@pytest.fixture
async def stored(mongodb_uri: str, database_name: str) -> AsyncIterator[tuple[Mongo, list[Facts]]]:
    """Resources by chance in the custody of facilities by chance, in the database."""
    chance = Random("resources")
    opened = await Mongo.connect(mongodb_uri, database_name)
    known, documents = [], []
    for n in range(RESOURCES):
        resource, custodian = random_resource(chance, n), chance.choice(FACILITIES[:3])
        found = in_custody(entries(resource, parameters(), TOKYO), custodian)
        known.append(facts(resource, custodian, parameters(), TOKYO))
        documents.append(
            document(
                Prepared(resource["resourceType"], resource["id"], resource, found), b"{}", version=1, updated=NOW, method="PUT", place=n
            )
        )
    await opened.resource.insert_many(documents)
    yield opened, known
    await opened.close()


async def test_memory_and_database_agree_on_ten_thousand_consents_resources_and_requesters(stored):
    mongo, known = stored
    chance, judged, outcomes = Random("consents"), 0, Counter()
    for _ in range(ROUNDS):
        directives, question = read(*random_consents(chance)), random_question(chance)
        decided = {f"{each.type}/{each.id}": decide(directives, question, each, vocabulary(), **KNOWN) for each in known}
        conditions = []
        for type in sorted({each.type for each in known}):
            compiled = permitted(directives, question, type, parameters(), vocabulary(), **KNOWN)
            assert (compiled == NOTHING) == (compiled is NOTHING)
            assert (compiled == EVERYTHING) == (compiled is EVERYTHING)
            conditions.append({"t": type, **({"$and": [condition(compiled, (type,))]} if compiled is not EVERYTHING else {})})
        found = await mongo.resource.distinct("_id", {"$or": conditions})
        assert set(found) == {key for key, each in decided.items() if each.permits}, directives
        judged += len(decided)
        outcomes.update(each.outcome for each in decided.values())
    assert judged >= 10_000
    assert min(outcomes.values()) > judged / 20, "each outcome has to happen often"


async def test_the_deepest_consent_that_is_read_can_be_asked_of_the_database(stored):
    mongo, known = stored
    inner = rule("permit", securityLabel=labels("V"))
    for level in reversed(range(DEEPEST)):
        further = rule("deny", dataPeriod={"start": "2026-03-01"}, securityLabel=labels("R"))
        inner = rule("deny" if level % 2 else "permit", inner, further, securityLabel=labels("V" if level % 2 == 0 else "U"))
    directives = read(consent(inner), consent(inner, "other", organization=[{"reference": each} for each in FACILITIES]))
    question = Question(FACILITIES[:1], frozenset(), "TREAT", MOMENTS[0])
    compiled = permitted(directives, question, "Observation", parameters(), vocabulary())
    found = await mongo.resource.distinct("_id", {"t": "Observation", "$and": [condition(compiled, ("Observation",))]})
    observations = [each for each in known if each.type == "Observation"]
    assert set(found) == {f"Observation/{each.id}" for each in observations if decide(directives, question, each, vocabulary()).permits}
    assert 0 < len(found) < len(observations)


def test_a_further_deny_never_permits_more_and_no_order_matters():
    chance = Random("laws")
    resources = [random_resource(chance, n) for n in range(25)]
    known = [facts(each, chance.choice(FACILITIES[:3]), parameters(), TOKYO) for each in resources]
    for _ in range(60):
        consents, question = random_consents(chance), random_question(chance)
        seen = _seen(consents, question, known)
        assert _seen(chance.sample(consents, len(consents)), question, known) == seen
        assert _seen([_shuffled(each, chance) for each in consents], question, known) == seen
        assert _seen([{**each, "provision": _with_deny(each["provision"], chance)} for each in consents], question, known) <= seen
        further = consent(random_deny(chance), "further", organization=[{"reference": each} for each in FACILITIES])
        assert _seen([*consents, further], question, known) <= seen
    assert all(_seen([], random_question(chance), known) == set() for _ in range(10))


def _seen(consents, question, known):
    directives = read(*consents)
    return {each.id for each in known if decide(directives, question, each, vocabulary(), **KNOWN).permits}


def _shuffled(value, chance):
    """The same consent with its lists in another order."""
    if isinstance(value, dict):
        return {name: _shuffled(each, chance) for name, each in value.items()}
    return chance.sample([_shuffled(each, chance) for each in value], len(value)) if isinstance(value, list) else value


def _with_deny(rule, chance):
    """The rule with one more exception that denies something, at the root or below."""
    below = rule.get("provision", [])
    if below and chance.random() < 0.5:
        place = chance.randrange(len(below))
        return {**rule, "provision": [_with_deny(each, chance) if n == place else each for n, each in enumerate(below)]}
    further = random_deny(chance)
    return {**rule, "provision": [*below, further]}


def random_deny(chance):
    made = {"type": "deny"}
    if chance.random() < 0.5:
        made["purpose"] = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}]
    if chance.random() < 0.5:
        made["dataPeriod"] = {"start": "2026-02-01"}
    return made


def test_a_plain_policy_says_the_same_as_its_rules():
    chance, outcomes = Random("plain"), Counter()
    anything = Subject("Observation", "o", entries({"resourceType": "Observation", "id": "o"}, parameters(), TOKYO))
    for _ in range(1200):
        directives, moment = read(*random_consents(chance, plain=True)), chance.choice(MOMENTS)
        simple = plain(directives, FACILITIES[:4], moment)
        outcomes["special" if simple is None else "plain"] += 1
        if simple is None:
            continue
        for reader in (*FACILITIES, "Organization/unknown"):
            for purpose in ("TREAT", "ETREAT", "HRESCH"):
                compiled = permitted(
                    directives,
                    Question((reader,), frozenset({"Practitioner/d"}), purpose, moment),
                    "Observation",
                    parameters(),
                    vocabulary(),
                )
                for custodian in FACILITIES[:4]:
                    sees = purpose != "HRESCH" and reader in simple.readers.get(custodian, ())
                    outcomes[sees] += 1
                    assert holds(compiled, Subject("Observation", "o", in_custody(anything.entries, custodian))) == sees
    assert outcomes["plain"] > 100
    assert outcomes["special"] > 20
    assert outcomes[True] > 1000


def test_a_plain_policy_shows_a_part_of_a_facility_no_more_than_its_rules():
    """Documents are asked so: one of the organizations may read, and none of them is barred."""
    chance, outcomes = Random("parts"), Counter()
    for _ in range(400):
        directives, moment = read(*random_consents(chance, plain=True)), chance.choice(MOMENTS)
        simple = plain(directives, FACILITIES[:4], moment)
        for _ in range(10 if simple is not None else 0):
            own = tuple(chance.sample(FACILITIES, chance.randint(2, 3)))
            for custodian in FACILITIES[:4]:
                by_documents = bool(set(own) & set(simple.readers.get(custodian, ()))) and not set(own) & simple.barred
                by_rules = decide(
                    directives, Question(own, frozenset(), "TREAT", moment), Facts("Basic", "", custodian), vocabulary()
                ).permits
                outcomes[by_documents, by_rules] += 1
                assert by_rules or not by_documents
    assert outcomes[True, True] > 300
