"""The parameters of a request to an OAuth endpoint: from a query or a form, none of them twice.

https://www.rfc-editor.org/rfc/rfc6749#section-3.1 (repeated parameters are refused, empty ones count as omitted)
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from fhir_server.auth.oauth.refusals import invalid_request

LONGEST = 64 * 1024
_MOST = 64


@dataclass(frozen=True, slots=True)
class Parameters:
    """`values` has each parameter once; `repeated` names those that came more than once."""

    values: dict[str, str] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()

    def once(self) -> dict[str, str]:
        """Give the parameters. Raises invalid_request where one was repeated."""
        if self.repeated:
            raise invalid_request(f"These parameters may be given once only: {', '.join(sorted(self.repeated))}")
        return self.values


def read(encoded: bytes) -> Parameters:
    """Read application/x-www-form-urlencoded. Raises invalid_request for what cannot be read."""
    if len(encoded) > LONGEST:
        raise invalid_request(f"The request is longer than {LONGEST} bytes")
    try:
        pairs = parse_qsl(encoded.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST, encoding="utf-8", errors="strict")
    except ValueError:
        raise invalid_request("The parameters cannot be read as application/x-www-form-urlencoded in UTF-8") from None
    counted = Counter(name for name, _ in pairs)
    return Parameters({name: value for name, value in pairs if value}, frozenset(name for name, n in counted.items() if n > 1))


def read_json(body: bytes) -> Parameters:
    """Read a JSON object of texts. Raises invalid_request for anything else."""
    if len(body) > LONGEST:
        raise invalid_request(f"The request is longer than {LONGEST} bytes")
    try:
        found: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
        return Parameters({name: value for name, value in msgspec.convert(found, dict[str, str]).items() if value})
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid_request("The body must be a JSON object whose values are texts") from None
