"""The store notices when other entries would be found than those it holds."""

from hashlib import blake2b
from zoneinfo import ZoneInfo

from fhir_server.search.entries import entries
from fhir_server.search.fingerprint import FORMAT, fingerprint
from fhir_server.search.parameters import Parameters
from profiles import json
from profiles.definitions import r4
from tests.profiles.test_official_examples import examples
from tests.shared import needs_shared

FOUND = (5, "8a38a6ac7e3c48dc6b1fc920")


def test_each_of_definitions_zone_and_address_makes_another_fingerprint():
    some = r4().search_parameters
    made = [
        fingerprint(some, "Asia/Tokyo"),
        fingerprint(some[1:], "Asia/Tokyo"),
        fingerprint(some, "UTC"),
        fingerprint(some, "UTC", "http://x"),
    ]
    assert len(set(made)) == len(made)
    assert fingerprint(reversed(some), "Asia/Tokyo") == made[0]


@needs_shared
def test_the_official_examples_are_found_by_the_entries_of_this_format():
    """When this fails, entries have changed: raise `fingerprint.FORMAT`, so that stores are rebuilt, and write down what is found now."""
    parameters, zone, digest = Parameters(r4()), ZoneInfo("Asia/Tokyo"), blake2b(digest_size=12)
    for text in examples():
        digest.update(repr(entries(json.decode(text), parameters, zone)).encode())
    assert (FORMAT, digest.hexdigest()) == FOUND
