"""Value sets and code systems that somebody else keeps."""

from terminology.lookup import Canonical, Lookup
from terminology.service import r4

OUTER = b'{"url": "urn:outer", "compose": {"include": [{"valueSet": ["urn:inner|2"]}, {"system": "urn:s", "filter": [{"property": "concept", "op": "is-a", "value": "a"}]}]}}'
INNER = b'{"url": "urn:inner", "compose": {"include": [{"system": "urn:t", "concept": [{"code": "x"}]}]}}'
SYSTEM = b'{"url": "urn:s", "content": "complete", "concept": [{"code": "a", "concept": [{"code": "b"}]}, {"code": "c"}]}'


def test_a_lookup_says_what_it_lacks_until_it_has_everything():
    lookup = Lookup(r4())
    assert lookup.members("urn:outer") is None
    assert lookup.lacking == {Canonical("ValueSet", "urn:outer")}
    lookup.give(Canonical("ValueSet", "urn:outer"), OUTER)
    lookup.members("urn:outer")
    assert lookup.lacking == {Canonical("ValueSet", "urn:inner|2"), Canonical("CodeSystem", "urn:s")}
    lookup.give(Canonical("ValueSet", "urn:inner|2"), INNER)
    lookup.give(Canonical("CodeSystem", "urn:s"), SYSTEM)
    members = lookup.members("urn:outer")
    assert not lookup.lacking
    assert members.known == {("urn:t", "x"), ("urn:s", "a"), ("urn:s", "b")}
    assert not members.maybe


def test_what_nobody_has_may_hold_anything():
    lookup = Lookup(r4())
    lookup.give(Canonical("ValueSet", "urn:outer"), OUTER)
    lookup.give(Canonical("ValueSet", "urn:inner|2"), None)
    lookup.give(Canonical("CodeSystem", "urn:s"), None)
    assert lookup.members("urn:outer").maybe == {"*", "urn:s"}
    assert lookup.members("urn:nothing") is None


def test_a_value_set_that_includes_itself_comes_to_an_end():
    lookup = Lookup(r4())
    lookup.give(
        Canonical("ValueSet", "urn:a"),
        b'{"url": "urn:a", "compose": {"include": [{"valueSet": ["urn:a"]}, {"system": "urn:t", "concept": [{"code": "x"}]}]}}',
    )
    assert lookup.members("urn:a").known == {("urn:t", "x")}


def test_what_is_no_value_set_is_not_one():
    lookup = Lookup(r4())
    lookup.give(Canonical("ValueSet", "urn:a"), b"[]")
    lookup.give(Canonical("CodeSystem", "urn:a"), b'{"url": 1}')
    assert lookup.members("urn:a") is None
    assert lookup.code_system("urn:a") is None


def test_the_definitions_come_first():
    lookup = Lookup(r4())
    assert ("http://hl7.org/fhir/administrative-gender", "female") in lookup.members(
        "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1"
    ).known
    assert "female" in lookup.code_system("http://hl7.org/fhir/administrative-gender")
    assert not lookup.lacking
