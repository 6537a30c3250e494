"""Launch contexts: what an EHR has on its screen when it launches an app.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token

A context opens nothing by itself: the person still logs in, and her own role decides what the app may see.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from fhir_server.auth.oauth.credentials import digest, fresh
from fhir_server.auth.oauth.refusals import invalid_request
from fhir_server.store.records import Kind, Records, Shelf

_LASTS: Final = timedelta(minutes=10)
_ID: Final = r"[A-Za-z0-9\-.]{1,64}"
_INTENT: Final = re.compile(r"[\x21-\x7e]{1,200}")
_KNOWN: Final = ("patient", "encounter", "client", "user", "intent", "need_patient_banner")


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What an app is told about the EHR's screen: "Patient/1", "Encounter/1", and what the person wants to do there."""

    patient: str | None = None
    encounter: str | None = None
    intent: str | None = None
    need_patient_banner: bool = True


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """A launch that waits for its app; `id` is the hash of the parameter `launch`.

    `by` is the client that made it, `client` the app it is meant for and `account` the person, where these were told.
    """

    id: str
    by: str
    context: Context
    expires: datetime
    client: str | None = None
    account: str | None = None


LAUNCHES: Final = Kind("auth_launch", Launch)


class Launches:
    """The launches under way."""

    def __init__(self, shelf: Shelf) -> None:
        self._records: Records[Launch] = shelf.records(LAUNCHES)
        self._clock = shelf.clock

    async def open(self, by: str, context: Context, *, client: str | None = None, account: str | None = None) -> str:
        """Remember a context for ten minutes; give the value of the parameter `launch`, which works once."""
        launch = fresh()
        expires = self._clock() + _LASTS
        await self._records.add(Launch(id=digest(launch), by=by, context=context, expires=expires, client=client, account=account))
        return launch

    async def take(self, launch: str, client: str) -> Launch:
        """Give the launch to the app it is meant for, once. Raises invalid_request."""
        found = await self._records.get(digest(launch))
        if found is not None and found.client in (None, client):
            found = await self._records.take(found.id)
            if found is not None:
                return found
        raise invalid_request("launch is unknown, was used before, has expired (10 minutes), or is meant for another client")


def requested(fields: Mapping[str, str], person: str | None) -> tuple[Context, str | None, str | None]:
    """Read what an EHR wants to launch: the context, the app's client id, the account. Raises invalid_request.

    Where the EHR asks with a person's token, the launch is hers and nobody else's.
    """
    if unknown := sorted(set(fields) - {*_KNOWN, "client_id", "client_assertion", "client_assertion_type"}):
        raise invalid_request(f"Unknown: {', '.join(unknown)[:200]}; a launch has {', '.join(_KNOWN)}")
    if person is not None and fields.get("user", person) != person:
        raise invalid_request("user is not the person whose token this is")
    context = Context(
        patient=_reference(fields, "patient", "Patient"),
        encounter=_reference(fields, "encounter", "Encounter"),
        intent=_intent(fields),
        need_patient_banner=fields.get("need_patient_banner", "true") != "false",
    )
    return context, fields.get("client"), person or fields.get("user")


def _reference(fields: Mapping[str, str], name: str, type: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    found = re.fullmatch(rf"(?:{type}/)?({_ID})", value)
    if found is None:
        raise invalid_request(f"{name} must be {type}/id")
    return f"{type}/{found.group(1)}"


def _intent(fields: Mapping[str, str]) -> str | None:
    value = fields.get("intent")
    if value is not None and not _INTENT.fullmatch(value):
        raise invalid_request("intent must be one word of at most 200 ASCII characters")
    return value
