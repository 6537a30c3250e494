"""The decision vectors C08-C16, C24-C29 and C37-C39 of CONSENT.md through the whole server: which data."""

from tests.access.leaks.vectors import A, B, asking
from tests.consent.judging import TYPES, consent, data, denying, labels, observation, permitting, purpose, rule

FEBRUARY = {"start": "2026-02-01", "end": "2026-02-28"}
READER = asking(B)
PROFILE = "http://example.org/StructureDefinition/lipids"
HIV = {"coding": [{"system": "http://loinc.org", "code": "7917-8"}]}
ENCOUNTER = {"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}, "subject": {"reference": "Patient/p"}}
DOCUMENT = {
    "resourceType": "DocumentReference",
    "id": "d",
    "status": "current",
    "type": {"coding": [{"system": "http://loinc.org", "code": "18842-5"}]},
    "subject": {"reference": "Patient/p"},
    "content": [{"attachment": {"contentType": "application/pdf", "title": "x"}}],
}


def at(id, start=None, end=None, **elements):
    """A result that spans a time."""
    period = {name: value for name, value in (("start", start), ("end", end)) if value}
    return observation(id, effectiveDateTime=None, effectivePeriod=period or None, **elements)


async def test_c08_c09_c10_a_permit_takes_what_surely_lies_in_its_time_and_a_deny_what_possibly_does(judge):
    resources = (
        observation("first", effectiveDateTime="2026-02-01T00:00:00.000+09:00"),
        observation("last", effectiveDateTime="2026-02-28T23:59:59.999+09:00"),
        at("whole", "2026-02-01", "2026-02-28"),
        observation("before", effectiveDateTime="2026-01-31T23:59:59.999+09:00"),
        observation("after", effectiveDateTime="2026-03-01T00:00:00.000+09:00"),
        at("straddling", "2026-02-20", "2026-03-02"),
        at("open", "2026-02-20"),
        observation("year", effectiveDateTime="2026"),
        at("undated"),
    )
    await judge(permitting(dataPeriod=FEBRUARY), {READER: "first last whole"}, *resources)
    await judge(denying(dataPeriod=FEBRUARY), {READER: "before after"}, *resources)


async def test_c11_c12_what_somebody_has_written_is_permitted_or_denied_in_all_his_roles(judge):
    role = {"resourceType": "PractitionerRole", "id": "r", "active": True, "practitioner": {"reference": "Practitioner/d"}}
    await judge.put({"resourceType": "Practitioner", "id": "d", "name": [{"text": "医師"}]}, role)
    resources = (
        observation("own", performer=[{"reference": "Practitioner/d"}]),
        observation("role", performer=[{"reference": "PractitionerRole/r"}]),
        observation("other", performer=[{"reference": "Practitioner/x"}]),
    )
    await judge(permitting(data=data("authoredby", "Practitioner/d")), {READER: "own role"}, *resources)
    await judge(denying(data=data("authoredby", "Practitioner/d")), {READER: "other"}, *resources)


async def test_c13_c14_what_belongs_to_an_encounter_counts_with_what_a_chain_leads_to(judge):
    report = {
        "resourceType": "DiagnosticReport", "id": "report", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Patient/p"},
        "encounter": {"reference": "Encounter/e"}, "result": [{"reference": "Observation/chained"}],
    }  # fmt: skip
    resources = (
        observation("within", encounter={"reference": "Encounter/e"}), observation("chained"), observation("other"), ENCOUNTER, report
    )  # fmt: skip
    await judge(permitting(data=data("related", "Encounter/e")), {READER: "within chained e report"}, *resources)
    await judge(denying(data=data("related", "Encounter/e")), {READER: "other"}, *resources)


async def test_c15_c16_the_listed_instances_are_permitted_or_denied(judge):
    resources = (observation("o"), observation("x"), observation("y"))
    await judge(permitting(data=data("instance", "Observation/o", "Observation/x")), {READER: "o x"}, *resources)
    await judge(denying(data=data("instance", "Observation/o")), {READER: "x y"}, *resources)


def labelled(*codes):
    return observation("-".join(codes).lower() or "none", labels(*codes))


async def test_c24_c25_c26_the_highest_label_decides_and_none_means_n(judge):
    resources = tuple(labelled(*codes) for codes in ((), ("N",), ("R",), ("V",), ("N", "R")))
    await judge(permitting(securityLabel=labels("N")), {READER: "none n", asking(A): "none n r v n-r"}, *resources)
    await judge(permitting(securityLabel=labels("N", "R")), {READER: "none n r n-r"}, *resources)
    but_r = permitting(rule("deny", securityLabel=labels("R")), securityLabel=labels("N"))
    await judge(but_r, {READER: "none n"}, *resources)


async def test_c27_psychiatry_for_one_physician(judge):
    focused = permitting(rule("deny", rule("permit", to="Practitioner/d"), securityLabel=labels("PSY")))
    await judge(focused, {asking(B, "d"): "psy n", asking(B, "e"): "n"}, labelled("PSY"), labelled("N"))


async def test_c28_one_of_several_labels_is_enough(judge):
    resources = tuple(labelled(code) for code in ("PSY", "SDV", "HIV"))
    await judge(permitting(securityLabel=labels("PSY", "SDV")), {READER: "psy sdv"}, *resources)
    await judge(denying(securityLabel=labels("PSY", "SDV")), {READER: "hiv"}, *resources)


async def test_c29_a_rule_on_substance_abuse_covers_its_kinds(judge):
    resources = tuple(labelled(code) for code in ("ETH", "ETHUD", "OPIOIDUD", "PSY"))
    await judge(permitting(securityLabel=labels("ETH")), {READER: "eth ethud opioidud"}, *resources)
    await judge(denying(securityLabel=labels("ETH")), {READER: "psy"}, *resources)
    await judge(denying(securityLabel=labels("ETHUD")), {READER: "eth opioidud psy"}, *resources)


def of_class(system, code):
    return {"class": [{"system": system, "code": code}]}


async def test_c37_a_rule_on_a_kind_of_data_covers_it_by_type_profile_document_and_media_type(judge):
    resources = (observation("lipids", meta={"profile": [PROFILE]}), observation("plain"), ENCOUNTER, DOCUMENT)
    for kind, covered, others in (
        (of_class(TYPES, "Observation"), "lipids plain", "e d"),
        (of_class("urn:ietf:rfc:3986", PROFILE), "lipids", "plain e d"),
        (of_class("http://loinc.org", "18842-5"), "d", "lipids plain e"),
        (of_class("urn:ietf:bcp:13", "application/pdf"), "d", "lipids plain e"),
    ):
        await judge(permitting(**kind), {READER: covered}, *resources)
        await judge(denying(**kind), {READER: others}, *resources)


async def test_c38_a_code_is_found_wherever_it_stands_in_the_instance(judge):
    resources = (
        observation("code", code=HIV),
        observation("component", component=[{"code": HIV, "valueString": "-"}]),
        observation("extension", extension=[{"url": "urn:x", "valueCodeableConcept": HIV}]),
        observation("tag", meta={"tag": HIV["coding"]}),
    )
    await judge(permitting(code=[HIV]), {READER: "code component extension"}, *resources)
    await judge(denying(code=[HIV]), {READER: "tag"}, *resources)


async def test_c38_s19_of_what_is_deleted_no_condition_can_be_judged_and_nobody_else_sees_it(judge):
    resources = (observation("code", labels("R"), code=HIV), observation("plain"))
    for consents in (denying(code=[HIV]), denying(securityLabel=labels("R"))):
        person = await judge(consents, {READER: "plain"}, *resources)
        for id in ("code", "plain"):
            key = f"/Observation/{id}-{person.number}"
            assert (await judge.served.ask(asking(A), "DELETE", key)).status_code == 204
            for address in (key, f"{key}/_history", f"{key}/_history/1"):
                assert (await judge.served.ask(READER, "GET", address)).status_code == 404, address
            assert (await judge.served.ask(asking(A), "GET", f"{key}/_history/1")).status_code == 200


async def test_c39_of_what_tells_of_two_patients_both_have_to_permit_it(judge):
    q = {"resourceType": "Patient", "id": "q"}
    about_two = (
        observation("o", focus=[{"reference": "Patient/q"}]),
        {"resourceType": "Group", "id": "g", "type": "person", "actual": True,
         "member": [{"entity": {"reference": f"Patient/{each}"}} for each in "pq"]},
        {"resourceType": "List", "id": "l", "status": "current", "mode": "snapshot", "subject": {"reference": "Patient/p"},
         "entry": [{"item": {"reference": "Patient/q"}}]},
    )  # fmt: skip
    everything = {"subject": {"reference": "Patient/q"}}
    to_b = rule(to=B, purpose=purpose("TREAT"))
    hers = consent(to_b, "hers", patient={"reference": "Patient/q"})
    mine, dissent = consent(to_b), consent(rule("deny"), "dissent", patient={"reference": "Patient/q"})
    await judge([mine], {READER: "one", asking(A): "one o g l"}, observation("one"), *about_two, beside=(q,))
    await judge([mine, dissent], {READER: "one"}, observation("one"), *about_two, beside=(q,))
    both = await judge([mine, hers], {asking(A): "two o g l"}, observation("two", **everything), *about_two, beside=(q,))
    await both.sees({READER: "two o g l"})
