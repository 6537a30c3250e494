"""Everything that GET metadata claims is asked of the server, in batches: each interaction, parameter, include, operation.

A claim is true where the answer is of the right kind; 404, 405, 5xx and not-supported are lies.
"""

import pytest

from fhir_server.search.grammar import MODIFIERS, PREFIXES
from fhir_server.search.parameters import Parameters
from profiles.definitions import r4
from tests.clients import minimal

AT_ONCE = 150

VALUES = {
    "string": "a", "token": "a", "reference": "Patient/a", "uri": "http://a", "number": "1", "date": "2026", "quantity": "1",
    "special": "34.3|134.0|1|km",
}  # fmt: skip
SPECIAL = {
    "_text": "a", "_content": "a", "_list": "a", "_filter": "_id%20eq%20a", "_lastUpdated": "gt2020-01-01",
}  # fmt: skip
OF_MODIFIER = {
    "missing": "true", "in": "http://hl7.org/fhir/ValueSet/administrative-gender", "not-in": "http://hl7.org/fhir/ValueSet/administrative-gender",
    "of-type": "http://terminology.hl7.org/CodeSystem/v2-0203|MR|1", "identifier": "urn:a|1",
}  # fmt: skip
ONE_BY_ONE = {("Patient", "everything", "type"), ("AuditEvent", "meta", "type")}
"""The records of all patients at once are no record, nor is the audit log a set of tags: it says to name the one."""


def patch(kind, path, *more):
    """A FHIRPath Patch of one operation."""
    part = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}, *more, {"name": "value", "valueCode": "ja"}]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}


def speak(type):
    return patch("add", type, {"name": "name", "valueString": "language"})


@pytest.fixture
async def claims(client):
    """What the server says of itself."""
    (rest,) = (await client.get("/metadata")).json()["rest"]
    return rest


async def ask(client, entries):
    """Ask all of it in batches; give the entries of the answers."""
    answers = []
    for start in range(0, len(entries), AT_ONCE):
        some = entries[start : start + AT_ONCE]
        response = await client.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": some}, timeout=120)
        assert response.status_code == 200, response.text
        answers += response.json()["entry"]
    assert len(answers) == len(entries)
    return answers


def get(url):
    return {"request": {"method": "GET", "url": url}}


def send(method, url, body=None, **headers):
    return {"request": {"method": method, "url": url, **headers}, **({} if body is None else {"resource": body})}


def lies(entries, answers, good=("200",)):
    """Give what was asked and not answered as it should be."""
    return [
        (entry["request"], answer["response"])
        for entry, answer in zip(entries, answers, strict=True)
        if answer["response"]["status"][:3] not in good
    ]


async def test_every_interaction_is_served_of_every_type(client, claims):
    """In the order in which one resource lives; a conditional write finds it by its id."""
    types = {each["type"]: {interaction["code"] for interaction in each["interaction"]} for each in claims["resource"]}
    bodies = {type: minimal.resource(type) for type in types}
    created = [send("POST", type, bodies[type]) for type in types]
    answers = await ask(client, created)
    assert not lies(created, answers, ("201",))
    ids = {type: answer["response"]["location"].split("/")[1] for type, answer in zip(types, answers, strict=True)}
    stored = {type: {**bodies[type], "id": ids[type]} for type in types}

    def each(code, make, condition=None):
        named = {entry["type"]: entry for entry in claims["resource"]}
        return [
            make(type, ids[type]) for type, codes in types.items() if code in codes and (condition is None or named[type].get(condition))
        ]

    rounds = [
        (each("create", lambda t, it: send("POST", t, bodies[t], ifNoneExist=f"_id={it}"), "conditionalCreate"), ("200",)),
        (each("read", lambda t, it: get(f"{t}/{it}")), ("200",)),
        (each("read", lambda t, it: send("GET", f"{t}/{it}", ifNoneMatch='W/"1"'), "conditionalRead"), ("304",)),
        (each("update", lambda t, it: send("PUT", f"{t}/{it}", {**stored[t], "implicitRules": "http://a"})), ("200",)),
        (
            each("update", lambda t, it: send("PUT", f"{t}?_id={it}", {**stored[t], "implicitRules": "http://b"}), "conditionalUpdate"),
            ("200",),
        ),
        (each("update", lambda t, it: send("PUT", f"{t}/{it}-new", {**stored[t], "id": f"{it}-new"}), "updateCreate"), ("201",)),
        (each("patch", lambda t, it: send("PATCH", f"{t}/{it}", speak(t))), ("200",)),
        (each("patch", lambda t, it: send("PATCH", f"{t}?_id={it}", patch("replace", f"{t}.language"))), ("200",)),
        (each("vread", lambda t, it: get(f"{t}/{it}/_history/1"), "readHistory"), ("200",)),
        (each("history-instance", lambda t, it: get(f"{t}/{it}/_history")), ("200",)),
        (each("history-type", lambda t, it: get(f"{t}/_history?_count=1")), ("200",)),
        (each("search-type", lambda t, it: get(f"{t}?_id={it}")), ("200",)),
        (each("delete", lambda t, it: send("DELETE", f"{t}/{it}")), ("204",)),
        (each("delete", lambda t, it: send("DELETE", f"{t}?_id={it}-new"), "conditionalDelete"), ("200", "204")),
        (each("read", lambda t, it: get(f"{t}/{it}")), ("410",)),
    ]
    for entries, good in rounds:
        answers = await ask(client, entries)
        assert len(answers) >= len(types)
        assert not lies(entries, answers, good)
        if entries[0]["request"]["method"] == "GET" and good == ("200",):
            bundles = [answer["resource"] for answer in answers if answer["resource"]["resourceType"] == "Bundle"]
            assert all(bundle.get("entry") for bundle in bundles if bundle["type"] in {"searchset", "history"})


async def test_the_interactions_of_the_system_are_served(client, claims):
    assert {each["code"] for each in claims["interaction"]} == {"transaction", "batch", "history-system", "search-system"}
    for type in ("transaction", "batch"):
        answer = await client.post("/", json={"resourceType": "Bundle", "type": type})
        assert answer.json()["type"] == f"{type}-response"
    assert (await client.get("/_history")).json()["type"] == "history"
    assert (await client.get("/?_type=Patient")).json()["type"] == "searchset"
    (answer,) = await ask(client, [get("?_type=Patient")])
    assert answer["resource"]["type"] == "searchset"


def value_of(parameter):
    if parameter.code in SPECIAL:
        return SPECIAL[parameter.code]
    return "$".join(VALUES[part.type] for part in parameter.components or (parameter,))


def parameters_of(claims):
    known = Parameters(r4())
    for each in claims["resource"]:
        of_type = known.of(each["type"])
        for stated in each.get("searchParam", []):
            yield each["type"], of_type[stated["name"]]


async def test_every_search_parameter_is_understood_of_every_type(client, claims):
    entries = [get(f"{type}?{parameter.code}={value_of(parameter)}&_count=0") for type, parameter in parameters_of(claims)]
    common = [each["name"] for each in claims["searchParam"] if each["name"] not in {"_has", "_type", "_text"}]
    for each in claims["resource"]:
        names = [name for name in common if (each["type"], name) != ("AuditEvent", "_content")]  # its documentation says so
        entries += [get(f"{each['type']}?{name}={SPECIAL.get(name, 'a')}&_count=0") for name in names]
    entries += [get("Patient?_text=a&_count=0"), get("Patient?_has:Observation:patient:code=a&_count=0")]
    assert len(entries) > 2400
    assert not lies(entries, await ask(client, entries))


async def test_every_prefix_and_modifier_is_understood_of_every_type_of_parameter(client, claims):
    """Of a dozen parameters of each type of parameter, whatever resources have them."""
    entries = []
    chosen = {}
    for type, parameter in parameters_of(claims):
        chosen.setdefault(parameter.type, []).append((type, parameter))
    assert set(chosen) == set(MODIFIERS)
    for kind, some in chosen.items():
        for type, parameter in some[:: max(1, len(some) // 12)]:
            entries += [get(f"{type}?{parameter.code}={prefix}{value_of(parameter)}&_count=0") for prefix in PREFIXES.get(kind, ())]
            for modifier in MODIFIERS[kind]:
                name = parameter.targets[0] if modifier == "[type]" else modifier
                value = "a" if modifier == "[type]" else OF_MODIFIER.get(modifier, value_of(parameter))
                if modifier not in {"in", "not-in", "above", "below", "of-type"} or kind == "uri":
                    entries.append(get(f"{type}?{parameter.code}:{name}={value}&_count=0"))
    system = "http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
    entries += [get(f"Observation?category:{name}={system}&_count=0") for name in ("above", "below")]
    entries += [get(f"Patient?gender:{name}={OF_MODIFIER[name]}&_count=0") for name in ("in", "not-in")]
    entries += [get(f"Encounter?location:{name}=Location/a&_count=0") for name in ("above", "below")]
    entries.append(get(f"Patient?identifier:of-type={OF_MODIFIER['of-type']}&_count=0"))
    assert not lies(entries, await ask(client, entries))


async def test_every_include_is_understood(client, claims):
    entries = [get(f"{each['type']}?_include={value}&_count=1") for each in claims["resource"] for value in each.get("searchInclude", ())]
    reverse = [
        get(f"{each['type']}?_revinclude={value}&_count=1") for each in claims["resource"] for value in each.get("searchRevInclude", ())
    ]
    assert len(entries) > 500
    assert len(reverse) > 500
    assert not lies(entries + reverse, await ask(client, entries + reverse))


async def test_every_compartment_answers_for_each_of_its_types(client, claims):
    known = Parameters(r4())
    codes = [next(type for type in known.types if type.lower() == url.rpartition("/")[2]) for url in claims["compartment"]]
    assert len(codes) == 5
    types = {each["type"] for each in claims["resource"]}
    entries = [get(f"{code}/a/{type}?_count=1") for code in codes for type in sorted(types & set(known.compartment(code)))]
    entries += [get(f"{code}/a/*?_count=1") for code in codes]
    assert not lies(entries, await ask(client, entries))


async def test_every_operation_is_performed_at_every_level_it_is_defined_for(client, claims):
    """A body that lacks what the operation needs is answered 400, the network's own answer 403 to whom they are not for; both are answers of
    the operation, too."""
    await client.put("/Patient/a", json={"resourceType": "Patient", "id": "a"})
    definitions = {each["url"]: each for each in (*r4().operations, *r4().networks) if each["resourceType"] == "OperationDefinition"}
    claimed = [("", each) for each in claims.get("operation", ())]
    claimed += [(each["type"], operation) for each in claims["resource"] for operation in each.get("operation", ())]
    assert {operation["name"] for _, operation in claimed} >= {"everything", "validate", "meta", "lastn"}
    for type, operation in claimed:
        definition = definitions[operation["definition"].partition("|")[0]]
        stored = type or "Patient"
        await client.put(f"/{stored}/a", json={**minimal.resource(stored), "id": "a"})
        for level, address in (("system", ""), ("type", f"/{stored}"), ("instance", f"/{stored}/a")):
            if definition[level] and (type, operation["name"], level) not in ONE_BY_ONE:
                response = await client.post(f"{address}/${operation['name']}", json={"resourceType": "Parameters"})
                answers = {200, 400, 422, *((403,) if operation["definition"].startswith("urn:tsunagi:") else ())}
                assert response.status_code in answers, (address, operation, response.text)
                assert "not-supported" not in response.text, (address, operation, response.text)


async def test_every_format_is_understood(client):
    whole = (await client.get("/metadata")).json()
    for format in whole["format"]:
        assert (await client.get("/Patient", params={"_format": format})).status_code == 200
    await client.put("/Patient/b", json={"resourceType": "Patient", "id": "b"})
    bodies = {"application/json-patch+json": [{"op": "add", "path": "/active", "value": True}], "application/fhir+json": speak("Patient")}
    assert set(whole["patchFormat"]) == set(bodies)
    for format, body in bodies.items():
        assert (await client.patch("/Patient/b", json=body, headers={"Content-Type": format})).status_code == 200
