"""Reads and writes FHIR resources for the administration, through the door that everything goes through.

So they are validated, indexed and versioned like all others; a change is made to the version that was read, or not at all.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from fhir_server.exchange import FhirRequest, FhirResponse
from fhir_server.outcome import FhirError
from profiles import json

Perform: TypeAlias = Callable[[FhirRequest], Awaitable[FhirResponse]]
"""Performs an interaction as the operator: `lambda request: service.perform(request, LOCAL)`."""

Resource: TypeAlias = dict[str, Any]

_BASE: Final = "urn:local"
_PAGE: Final = "200"


class Resources:
    """The resources of the service, as dictionaries."""

    def __init__(self, perform: Perform) -> None:
        self._perform = perform

    async def read(self, reference: str) -> Resource | None:
        """Give the resource `Type/id`, None where there is none."""
        type, _, id = reference.partition("/")
        try:
            answer = await self._perform(FhirRequest("read", type, id, base=_BASE))
        except FhirError as error:
            if error.status in (404, 410):
                return None
            raise
        return _decoded(answer)

    async def search(self, type: str, *parameters: tuple[str, str]) -> list[Resource]:
        """Give all resources of a type that match, page by page."""
        found: list[Resource] = []
        asked: Sequence[tuple[str, str]] | None = (*parameters, ("_count", _PAGE))
        while asked is not None:
            bundle = _decoded(await self._perform(FhirRequest("search-type", type, parameters=asked, base=_BASE)))
            found += [entry["resource"] for entry in bundle.get("entry", ()) if entry["resource"]["resourceType"] == type]
            following = next((link["url"] for link in bundle.get("link", ()) if link["relation"] == "next"), None)
            asked = parse_qsl(urlsplit(following).query, keep_blank_values=True) if following else None
        return found

    async def put(self, *resources: Resource) -> None:
        """Write resources, all or none: a new one, or the one that was read, where nobody has changed it meanwhile."""
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(each) for each in resources]}
        await self._perform(FhirRequest("transaction", body=bundle, base=_BASE))


def _entry(resource: Resource) -> Resource:
    url = f"{resource['resourceType']}/{resource['id']}"
    request = {"method": "PUT", "url": url}
    version = resource.get("meta", {}).get("versionId")
    if version is not None:
        request["ifMatch"] = f'W/"{version}"'
    return {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource, "request": request}


def _decoded(answer: FhirResponse) -> Resource:
    decoded: Resource = json.decode(answer.body or b"{}")
    return decoded
