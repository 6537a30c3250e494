"""From a method and a path to an interaction."""

import pytest

from fhir_server.interactions.address import pairs, segments
from fhir_server.interactions.table import Route, route
from fhir_server.outcome import FhirError

SERVED = {"Patient": frozenset({"read", "search-type", "vread", "history-instance"}), "Observation": frozenset({"create", "update"})}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "metadata", Route("capabilities")),
        ("POST", "", Route("transaction")),
        ("GET", "Patient", Route("search-type", "Patient")),
        ("POST", "Patient/_search", Route("search-type", "Patient")),
        ("POST", "Observation", Route("create", "Observation")),
        ("GET", "Patient/1", Route("read", "Patient", "1")),
        ("GET", "Patient/1/", Route("read", "Patient", "1")),
        ("PUT", "Observation/a.B-9", Route("update", "Observation", "a.B-9")),
        ("GET", "Patient/1/_history", Route("history-instance", "Patient", "1")),
        ("GET", "Patient/1/_history/2", Route("vread", "Patient", "1", "2")),
        ("GET", "", Route("search-system")),
        ("POST", "_search", Route("search-system")),
        ("GET", "_history", Route("history-system")),
        ("PUT", "Observation", Route("update", "Observation")),
        ("GET", "Patient/1/Patient", Route("search-type", "Patient", compartment="Patient/1")),
        ("POST", "Patient/1/Patient/_search", Route("search-type", "Patient", compartment="Patient/1")),
        ("GET", "Patient/1/*", Route("search-system", compartment="Patient/1")),
        ("GET", "$meta", Route("operation", operation="meta")),
        ("POST", "Patient/$match", Route("operation", "Patient", operation="match")),
        ("GET", "Patient/1/$everything", Route("operation", "Patient", "1", operation="everything")),
    ],
)
def test_every_served_address_is_found(method, path, expected):
    assert route(method, segments(path), SERVED) == expected


@pytest.mark.parametrize(
    ("method", "path", "status", "allowed"),
    [
        ("POST", "Patient", 405, "GET, HEAD"),
        ("PUT", "Patient/1", 405, "GET, HEAD"),
        ("GET", "Observation/1", 405, "PUT"),
        ("PUT", "", 405, "GET, POST, HEAD"),
        ("DELETE", "Patient", 405, "GET, HEAD"),
        ("GET", "Device/1/Patient", 404, None),
        ("GET", "Patient/1/Device", 404, None),
        ("GET", "Patient/1/_search", 404, None),
        ("DELETE", "metadata", 405, "GET, HEAD"),
        ("GET", "Device/1", 404, None),
        ("GET", "Patient//1", 404, None),
        ("GET", "Patient/../metadata", 404, None),
    ],
)
def test_what_is_not_served_is_refused(method, path, status, allowed):
    with pytest.raises(FhirError) as refused:
        route(method, segments(path), SERVED)
    assert refused.value.status == status
    assert dict(refused.value.headers).get("Allow") == allowed


def test_pairs_keep_their_order_and_are_decoded_once():
    assert pairs("a=1&b=x+y&a=%E8%AE%83&&c=%2520&d") == [("a", "1"), ("b", "x y"), ("a", "讃"), ("c", "%20"), ("d", "")]


def test_too_many_pairs_are_refused():
    with pytest.raises(FhirError):
        pairs("a=1&" * 1001)
