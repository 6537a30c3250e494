"""The Range header: a part of a Binary's content.

https://www.rfc-editor.org/rfc/rfc9110#section-14
"""

import re

from fhir_server.outcome import FhirError, Issue

_RANGE = re.compile(r"bytes\s*=\s*(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))\s*")


def byte_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Give the bytes asked for as (first, past the last); None for all of them.

    Several ranges and what is no range of bytes are answered with all, as RFC 9110 allows. Raises FhirError (416) for a
    range beyond the content.
    """
    asked = _RANGE.fullmatch(header.strip()) if header is not None else None
    if asked is None:
        return None
    if asked[3] is not None:
        start, end = max(size - int(asked[3]), 0), size if int(asked[3]) else 0
    else:
        start, end = int(asked[1]), min(int(asked[2]) + 1, size) if asked[2] else size
        if asked[2] and int(asked[2]) < start:
            return None
    if start >= end:
        issue = Issue("value", f"The content has {size} bytes; the range is beyond", ("http.Range",))
        raise FhirError(issue, status=416, headers=(("Content-Range", f"bytes */{size}"),))
    return start, end
