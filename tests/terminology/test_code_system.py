"""Code systems know their codes and what stands under what."""

from terminology.code_system import CodeSystem

DATA = b"""{"url": "urn:s", "content": "complete", "concept": [
  {"code": "a", "concept": [{"code": "b", "concept": [{"code": "c"}]}]},
  {"code": "_h", "property": [{"code": "notSelectable", "valueBoolean": true}], "concept": [{"code": "d"}]},
  {"code": "e", "property": [{"code": "subsumedBy", "valueCode": "b"}]}]}"""


def test_codes_below_a_code_are_found_through_every_parent():
    system = CodeSystem(DATA)
    assert system.under("a") == {"a", "b", "c", "e"}
    assert system.under("c") == {"c"}
    assert system.under("nothing") == frozenset()


def test_what_subsumes_a_code_is_above_it_through_every_parent_headings_too():
    system = CodeSystem(DATA)
    assert system.above("c") == {"a", "b", "c"}
    assert system.above("e") == {"a", "b", "e"}
    assert system.above("d") == {"_h", "d"}
    assert system.below("_h") == {"_h", "d"}
    assert system.above("nothing") == system.below("nothing") == frozenset()


def test_a_heading_is_no_code_but_holds_its_own():
    system = CodeSystem(DATA)
    assert system.codes == {"a", "b", "c", "d", "e"}
    assert "_h" in system
    assert system.under("_h") == {"d"}


def test_a_system_without_content_is_not_complete():
    assert CodeSystem(DATA).complete
    assert not CodeSystem(b'{"url": "urn:s", "content": "not-present"}').complete
    assert not CodeSystem(b'{"url": "urn:s", "content": "complete"}').complete
    assert not CodeSystem(b'{"url": "urn:s", "content": "fragment", "concept": [{"code": "a"}]}').complete
