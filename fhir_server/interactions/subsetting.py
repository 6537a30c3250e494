"""What of a resource is answered: _summary and _elements, on searches and reads.

https://hl7.org/fhir/R4/search.html#summary

What is asked for whole is passed on as it is stored, never decoded.
"""

from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal

import msgspec

from fhir_server.exchange import FhirRequest, Version
from fhir_server.interactions.serving import Serving
from fhir_server.outcome import invalid
from fhir_server.search.summary import WHOLE, View, elements_of, subset, summary_of
from fhir_server.search.types.asked import Refused
from profiles import json

_decode = msgspec.json.Decoder(float_hook=Decimal).decode  # what is stored was checked when it came


def shown(version: Version, view: View, searched: Collection[str], serving: Serving) -> Version:
    """Give the version with the part of its body that the view shows."""
    if view.whole or version.body is None:
        return version
    resource = _decode(version.body)
    part = subset(resource, view, searched, serving.definitions.shapes)
    return version if part is resource else replace(version, body=json.encode(part))


def read_version(request: FhirRequest, version: Version, serving: Serving) -> Version:
    """Give what a read answers with. Raises FhirError (400) where _summary or _elements cannot be understood."""
    if not request.parameters:
        return version
    return shown(version, _view(request, version.type, serving), (version.type,), serving)


def _view(request: FhirRequest, type: str, serving: Serving) -> View:
    view = WHOLE
    for name, value in request.parameters:
        try:
            if name == "_summary":
                view = replace(view, summary=summary_of(value))
            elif name == "_elements":
                view = replace(view, elements=view.elements + elements_of(value, (type,), serving.definitions.shapes))
            if view.summary == "count":
                raise Refused("A single resource is not counted: the value of _summary is true, text, data or false", "not-supported")
        except Refused as refused:
            raise invalid(refused.diagnostics, f"{type}?{name}", code=refused.code) from None
    if view.elements and view.summary != "false":
        raise invalid("_summary and _elements exclude each other", f"{type}?_elements", code="value")
    return view
