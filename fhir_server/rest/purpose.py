"""For what somebody reads: the header Purpose-Of-Use, with a code of v3-PurposeOfUse, or "system|code" of another system.

https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html; without it, what is asked is asked for treatment (TREAT).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fhir_server.outcome import invalid
from fhir_server.service import Local, Requester

HEADER: Final = "purpose-of-use"
_PURPOSE: Final = re.compile(r"[A-Z][A-Z0-9]{1,31}|[!-{}~]{1,200}\|[!-{}~]{1,100}")


def declared(requester: Requester, headers: Mapping[str, str]) -> Requester:
    """Give the requester with the purpose that the request declares; raises FhirError (400) for what is none."""
    purpose = headers.get(HEADER)
    if purpose is None or isinstance(requester, Local):
        return requester
    if not _PURPOSE.fullmatch(purpose.strip()):
        raise invalid("Purpose-Of-Use holds one code of v3-PurposeOfUse, such as TREAT or ETREAT", "http.Purpose-Of-Use", code="value")
    return replace(requester, purpose=purpose.strip())
