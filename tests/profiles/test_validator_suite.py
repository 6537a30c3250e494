"""The validator against HL7's test cases: what base validation finds, what it misses, and that it refuses nothing that is valid.

https://github.com/FHIR/fhir-test-cases/tree/master/validator
"""

from profiles import json
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as terminology
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared

MISSED = {
    "bundle-dual-subject": "the error, two subjects, is not in the JSON that was made of the XML",
    "encounter-period": "a period from a day to a moment of that day: whether it starts before it ends is open, and open passes",
    "list-xhtml-empty": "an empty narrative is a warning, since an official example has one",
    "q-bp": "extensions whose definitions are not known are taken: R4 forbids no extension",
}


def cases(kind):
    """(name, whether it is valid, the issues found); None where it is no JSON."""
    assert SHARED is not None
    folder, validator = SHARED / "data/suites/validator", Validator(r4(), terminology())
    for case in json.decode((folder / "cases.json").read_bytes()):
        if case["kind"] == kind:
            try:
                found = validator.validate(json.decode((folder / "files" / case["file"]).read_bytes()))
            except json.JsonError:
                found = None
            yield case["name"], case["expect"] == "valid", found


def refused(found):
    return found is None or any(issue.severity == "error" for issue in found)


def test_base_validation_is_right_about_more_than_nine_of_ten():
    judged = [(name, valid, refused(found)) for name, valid, found in cases("base")]
    bad = [(name, was_refused) for name, valid, was_refused in judged if not valid]
    good = [(name, was_refused) for name, valid, was_refused in judged if valid]
    assert {name for name, was_refused in bad if not was_refused} == set(MISSED)
    assert [name for name, was_refused in good if was_refused] == []
    assert (len(bad), len(good)) == (27, 17)
    accuracy = ((len(bad) - len(MISSED)) / len(bad) + 1) / 2
    assert accuracy >= 0.92


def test_no_resource_that_is_valid_by_its_profile_is_refused():
    judged = [(name, refused(found)) for name, valid, found in cases("prof") if valid]
    assert len(judged) == 48
    assert [name for name, was_refused in judged if was_refused] == []
