"""The secretariat's interface: `/admin/users`, `/admin/clients`, `/admin/certificates`, `/admin/sessions`, as JSON.

For an access token of the role secretariat and nobody else (F006), whose scopes let it write what it changes: an app that was
only let read does not get to administer because the secretariat uses it. Facilities and the people who work there are
Organization, Practitioner and PractitionerRole of the FHIR API. Whatever fails answers an OperationOutcome.
"""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import msgspec
from fastapi import FastAPI, Request, Response

from fhir_server.auth.registrations import Draft
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.auth.scopes import ScopeError, ScopeGrammar
from fhir_server.authorization.administration import shown
from fhir_server.authorization.administration.bodies import NewUser, Revocation, read_body
from fhir_server.authorization.administration.registry import Administration
from fhir_server.outcome import FhirError, Issue, invalid, operation_outcome

log = logging.getLogger(__name__)

Authenticate: TypeAlias = Callable[[Request], Awaitable[Requester]]
"""Tells who asks by the token of a request; raises FhirError (401) where nobody is known to."""

Answer: TypeAlias = tuple[int, Any]
Right: TypeAlias = tuple[str, str]
"""The type of resource, and the letter of `cruds`, that a scope must name."""
Act: TypeAlias = Callable[[Administration, Request], Awaitable[Answer]]

_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LETTER: Final = {"GET": "r", "POST": "u", "DELETE": "d"}
_PEOPLE: Final = "Practitioner"
_FACILITIES: Final = "Organization"


def add_administration(app: FastAPI, administration: Callable[[], Administration | None], authenticate: Authenticate) -> None:
    """Add the routes; `administration` gives None before start."""

    def route(method: str, path: str, type: str, act: Act, letter: str | None = None) -> None:
        async def answer(request: Request) -> Response:
            try:
                return await _answered(request, administration(), authenticate, (type, letter or _LETTER[method]), act)
            except FhirError as failure:
                return _failed(failure)
            except Exception:
                log.exception("a request of the administration failed")
                return _failed(FhirError(Issue("exception", "The server failed; its log says more")))

        app.add_api_route(path, answer, methods=[method], include_in_schema=False)

    _add_users(route)
    _add_clients(route)
    _add_certificates(route)
    _add_sessions(route)


def _add_users(route: Callable[..., None]) -> None:
    route("GET", "/admin/users", _PEOPLE, _users)
    route("POST", "/admin/users", _PEOPLE, _add_user, "c")
    route("GET", "/admin/users/{id}", _PEOPLE, _user)
    for name, act in _OF_USERS.items():
        route("POST", f"/admin/users/{{id}}/{name}", _PEOPLE, act)


def _add_clients(route: Callable[..., None]) -> None:
    route("GET", "/admin/clients", _FACILITIES, _clients)
    route("POST", "/admin/clients", _FACILITIES, _add_client, "c")
    route("GET", "/admin/clients/{id}", _FACILITIES, _client)
    route("DELETE", "/admin/clients/{id}", _FACILITIES, _remove_client)
    for name, act in _OF_CLIENTS.items():
        route("POST", f"/admin/clients/{{id}}/{name}", _FACILITIES, act)


def _add_certificates(route: Callable[..., None]) -> None:
    route("GET", "/admin/certificates", _FACILITIES, _certificates)
    route("POST", "/admin/certificates/{number}/revoke", _FACILITIES, _revoke)


def _add_sessions(route: Callable[..., None]) -> None:
    route("GET", "/admin/sessions", _PEOPLE, _sessions)
    route("DELETE", "/admin/sessions", _PEOPLE, _end_sessions)


async def _answered(
    request: Request, administration: Administration | None, authenticate: Authenticate, right: Right, act: Act
) -> Response:
    if administration is None:
        raise FhirError(Issue("transient", "The server is starting"))
    _check_right(await authenticate(request), administration.rules.grammar, right)
    status, content = await act(administration, request)
    return Response(msgspec.json.encode(content) if content is not None else b"", status, _HEADERS, "application/json")


def _check_right(requester: Requester, grammar: ScopeGrammar, right: Right) -> None:
    type, letter = right
    if requester.role is not Role.SECRETARIAT or not requester.is_person:
        raise FhirError(Issue("forbidden", "Only the secretariat administers / 事務局のみが利用できます", ("http.Authorization",)))
    try:
        scopes = grammar.parse(requester.scope).resources
    except ScopeError:
        scopes = ()
    if not any(each.context == "user" and each.type in ("*", type) and letter in each.letters and not each.parameters for each in scopes):
        challenge = f'Bearer error="insufficient_scope", scope="user/{type}.{letter}"'
        raise FhirError(
            Issue("forbidden", f"This needs the scope user/{type}.{letter} / スコープが不足しています", ("http.Authorization",)),
            headers=(("WWW-Authenticate", challenge),),
        )


def _failed(failure: FhirError) -> Response:
    body = msgspec.json.encode(operation_outcome(failure.issues))
    return Response(body, failure.status, {**_HEADERS, **dict(failure.headers)}, "application/fhir+json")


async def _users(administration: Administration, request: Request) -> Answer:
    facility = _only(request, "facility").get("facility")
    return HTTPStatus.OK, {"users": [shown.user(each) for each in await administration.people.all(facility)]}


async def _add_user(administration: Administration, request: Request) -> Answer:
    wanted = await read_body(request, NewUser)
    account, password = await administration.people.open_account(wanted.id, wanted.fhir_user)
    return HTTPStatus.CREATED, {**shown.user(await administration.people.find(account.id)), "password": password}


async def _user(administration: Administration, request: Request) -> Answer:
    return HTTPStatus.OK, shown.user(await administration.people.find(request.path_params["id"]))


async def _disable_user(administration: Administration, request: Request) -> Answer:
    await administration.people.disable(request.path_params["id"])
    return await _user(administration, request)


async def _enable_user(administration: Administration, request: Request) -> Answer:
    await administration.people.enable(request.path_params["id"])
    return await _user(administration, request)


async def _unlock_user(administration: Administration, request: Request) -> Answer:
    await administration.people.unlock(request.path_params["id"])
    return await _user(administration, request)


async def _new_password(administration: Administration, request: Request) -> Answer:
    password = await administration.people.new_password(request.path_params["id"])
    status, user = await _user(administration, request)
    return status, {**user, "password": password}


async def _reset_factors(administration: Administration, request: Request) -> Answer:
    await administration.people.reset_factors(request.path_params["id"])
    return await _user(administration, request)


async def _clients(administration: Administration, request: Request) -> Answer:
    facility = _only(request, "facility").get("facility")
    found = await administration.clients.all()
    return HTTPStatus.OK, {"clients": [shown.client(each) for each in found if facility in (None, each.facility)]}


async def _add_client(administration: Administration, request: Request) -> Answer:
    client, secret = await administration.clients.add(await read_body(request, Draft))
    return HTTPStatus.CREATED, {**shown.client(client), **({"secret": secret} if secret is not None else {})}


async def _client(administration: Administration, request: Request) -> Answer:
    return HTTPStatus.OK, shown.client(await administration.clients.find(request.path_params["id"]))


async def _remove_client(administration: Administration, request: Request) -> Answer:
    await administration.clients.remove(request.path_params["id"])
    return HTTPStatus.NO_CONTENT, None


async def _disable_client(administration: Administration, request: Request) -> Answer:
    return HTTPStatus.OK, shown.client(await administration.clients.disable(request.path_params["id"]))


async def _enable_client(administration: Administration, request: Request) -> Answer:
    return HTTPStatus.OK, shown.client(await administration.clients.enable(request.path_params["id"]))


async def _new_secret(administration: Administration, request: Request) -> Answer:
    secret = await administration.clients.renew_secret(request.path_params["id"])
    status, client = await _client(administration, request)
    return status, {**client, "secret": secret}


async def _certificates(administration: Administration, request: Request) -> Answer:
    found = await administration.register.listed(_only(request, "facility").get("facility"))
    return HTTPStatus.OK, {"certificates": [shown.certificate(each) for each in found]}


async def _revoke(administration: Administration, request: Request) -> Answer:
    wanted = await read_body(request, Revocation)
    found = await administration.register.find(request.path_params["number"])
    if found is None:
        raise FhirError(Issue("not-found", "There is no such certificate"))
    revoked = await administration.register.revoke(found.id, wanted.reason)
    return HTTPStatus.OK, {"revoked": [shown.certificate(each) for each in revoked]}


async def _sessions(administration: Administration, request: Request) -> Answer:
    asked = _only(request, "user", "facility")
    equal = {"account": asked["user"].casefold()} if "user" in asked else asked
    return HTTPStatus.OK, {"sessions": [shown.session(each) for each in await administration.endings.open_sessions(**equal)]}


async def _end_sessions(administration: Administration, request: Request) -> Answer:
    match _only(request, "user", "facility", "all"):
        case {"user": login}:
            ended = await administration.endings.user((await administration.people.find(login)).account.id)
        case {"facility": code}:
            ended = await administration.endings.facility((await administration.facilities.find(code)).organization)
        case {"all": "true"}:
            ended = await administration.endings.network()
        case _:
            raise invalid("Whose sessions are to end? ?user=ID, ?facility=CODE or ?all=true", code="required")
    return HTTPStatus.OK, {"ended": ended}


def _only(request: Request, *known: str) -> dict[str, str]:
    """Give the query's parameters, of which there may be one at most."""
    found = request.query_params.multi_items()
    if len(found) > 1 or any(name not in known for name, _ in found):
        raise invalid(f"Parameters of this address: one of {', '.join(known)}")
    return dict(found)


_OF_USERS: Final[dict[str, Act]] = {
    "disable": _disable_user,
    "enable": _enable_user,
    "unlock": _unlock_user,
    "password": _new_password,
    "reset-factors": _reset_factors,
}
_OF_CLIENTS: Final[dict[str, Act]] = {"disable": _disable_client, "enable": _enable_client, "secret": _new_secret}
