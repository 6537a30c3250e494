"""Media types."""

import gzip

import pytest

from fhir_server.outcome import FhirError
from fhir_server.rest.media import require_acceptable, require_json, unpacked


@pytest.mark.parametrize(
    "content_type",
    [None, "application/fhir+json", "application/json", "Application/FHIR+JSON; charset=UTF-8", 'application/json;charset="utf-8"'],
)
def test_json_in_utf_8_is_read(content_type):
    require_json(content_type)


@pytest.mark.parametrize("accept", [None, "", "*/*", "application/xml;q=0.9, application/json", "application/fhir+json; fhirVersion=4.0.1"])
def test_who_takes_json_is_served(accept):
    require_acceptable(accept, None)


@pytest.mark.parametrize("accept", ["application/fhir+xml", "application/json;q=0", "image/png", "application/fhir+json; fhirVersion=3.0"])
def test_who_takes_no_json_is_told_so(accept):
    with pytest.raises(FhirError) as refused:
        require_acceptable(accept, None)
    assert refused.value.status == 406


def test_gzip_is_undone_within_the_limit():
    assert unpacked(gzip.compress(b"abc"), "gzip", 3) == b"abc"
    for body, status in ((gzip.compress(b"abcd"), 413), (gzip.compress(b"abc")[:-4], 400), (b"abc", 400)):
        with pytest.raises(FhirError) as refused:
            unpacked(body, "gzip", 3)
        assert refused.value.status == status
