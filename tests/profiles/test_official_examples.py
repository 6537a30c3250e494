"""The official examples of FHIR R4 are read, accepted and written again, all but two.

https://hl7.org/fhir/R4/downloads.html
"""

import gzip
from collections.abc import Iterator
from typing import Any

from profiles import json
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as terminology
from tests.shared import SHARED, needs_shared

# ImplementationGuide-fhir lacks name and status and holds a reference that is none; Questionnaire-qs1 has items without linkId.
INVALID = {"ImplementationGuide/fhir", "Questionnaire/qs1"}

pytestmark = needs_shared


def examples() -> Iterator[bytes]:
    assert SHARED is not None
    for path in sorted((SHARED / "data/fhir-r4-examples").glob("*.ndjson.gz")):
        yield from gzip.decompress(path.read_bytes()).splitlines()


def errors(validator: Validator, resource: dict[str, Any]) -> list[str]:
    return [issue.diagnostics for issue in validator.validate(resource) if issue.severity == "error"]


def test_all_official_examples_are_valid_but_the_two_that_are_not():
    validator = Validator(r4(), terminology())
    seen, refused = 0, set()
    for text in examples():
        resource = json.decode(text)
        seen += 1
        assert resource["resourceType"] in r4().resource_types
        if errors(validator, resource):
            refused.add(f"{resource['resourceType']}/{resource['id']}")
    assert seen == 572
    assert refused == INVALID


def test_all_official_examples_come_back_equal_with_their_digits_and_order():
    for text in examples():
        resource = json.decode(text)
        again = json.decode(json.encode(resource))
        assert again == resource
        assert repr(again) == repr(resource)  # 1.0 is not 1.00, and the order of keys counts
