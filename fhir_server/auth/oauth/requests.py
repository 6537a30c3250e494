"""Authorization requests: what an app asked for, while its user logs in, chooses a patient and consents.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
https://www.rfc-editor.org/rfc/rfc9207 (iss in every answer)

An error goes back to the app only when the client is known and the redirect_uri is exactly one of its own; else the person
sees a page (S35). What the pages promise is checked again at the end (`finish`): they cannot forget it.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from fhir_server.auth.accounts.session import Session
from fhir_server.auth.clients import CLIENTS, Client
from fhir_server.auth.oauth import rules
from fhir_server.auth.oauth.addresses import Addresses
from fhir_server.auth.oauth.codes import Codes
from fhir_server.auth.oauth.credentials import fresh
from fhir_server.auth.oauth.launches import Context, Launches
from fhir_server.auth.oauth.parameters import Parameters
from fhir_server.auth.oauth.people import Authorization, role_of
from fhir_server.auth.oauth.refusals import OAuth2Error, access_denied, interaction_required, invalid_request, invalid_scope
from fhir_server.auth.roles import Role
from fhir_server.auth.scopes import ScopeError, ScopeGrammar
from fhir_server.store.records import Kind, Records, Shelf

_LASTS: Final = timedelta(minutes=10)
_PATIENT: Final = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}")
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
_LONGEST_ID: Final = 200
_LONGEST: Final = {"state": 2048, "nonce": 512, "login_hint": 200}


class AuthorizationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an app asks for, as far as its registration allows; `id` goes along from page to page.

    `context` is the EHR's, where it launched the app; `account` the person it launched it for. `max_age` is in seconds.
    """

    id: str
    client: str
    client_name: str
    redirect_uri: str
    scope: str
    state: str
    challenge: str
    created: datetime
    expires: datetime
    nonce: str | None = None
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    login_hint: str | None = None
    context: Context = Context()
    account: str | None = None

    @property
    def needs_patient(self) -> bool:
        """Tell whether a patient must be chosen: a scope is about one, and the EHR has named none."""
        return self.context.patient is None and _is_about_one(_without(self.scope, "launch"))

    def needs_login(self, session: Session) -> bool:
        """Tell whether this session will not do: not whole, of another person, or too old for what the app asks."""
        if not session.whole or self.account not in (None, session.account):
            return True
        if session.opened >= self.created:
            return False
        if {"login", "select_account"} & set(self.prompt):
            return True
        return self.max_age is not None and self.created - session.opened > timedelta(seconds=self.max_age)


AUTHORIZATION_REQUESTS: Final = Kind("auth_request", AuthorizationRequest)


class Requests:
    """The authorization requests under way."""

    def __init__(self, shelf: Shelf, scopes: ScopeGrammar, addresses: Addresses, launches: Launches, codes: Codes) -> None:
        self._records: Records[AuthorizationRequest] = shelf.records(AUTHORIZATION_REQUESTS)
        self._clients: Records[Client] = shelf.records(CLIENTS)
        self._clock = shelf.clock
        self._scopes = scopes
        self._addresses = addresses
        self._launches = launches
        self._codes = codes

    async def begin(self, parameters: Parameters) -> AuthorizationRequest:
        """Judge and remember what an app asks for.

        Raises OAuth2Error; one with a `redirect_uri` is told to the app (`returned`), another one to the person only.
        """
        fields = parameters.values
        client = await self._client(parameters)
        try:
            request = await self._judged(parameters.once(), client)
        except OAuth2Error as error:
            error.redirect_uri, error.state = fields["redirect_uri"], None if "state" in parameters.repeated else fields.get("state")
            raise
        await self._records.add(request)
        return request

    async def get(self, request_id: str) -> AuthorizationRequest | None:
        """Give the request, None where there is none or its time is over."""
        return await self._records.get(request_id)

    async def finish(self, request_id: str, session: Session, patient: str | None, scope: str) -> str:
        """Give the address that takes a new code to the app, for this person, patient ("Patient/1") and scopes.

        Raises OAuth2Error where the request is gone or what the person has done is not what it needs; it then stays open.
        """
        request = await self._records.get(request_id)
        if request is None:
            raise invalid_request("This authorization request is unknown or has expired (10 minutes)")
        authorization = self._consented(request, session, patient, scope)
        if await self._records.take(request_id) is None:
            raise invalid_request("This authorization request was answered before")
        code = await self._codes.make(authorization, request.redirect_uri, request.challenge)
        return self._answer(request.redirect_uri, {"code": code, "state": request.state})

    async def deny(self, request_id: str) -> str:
        """Give the address that tells the app that the person said no. Raises OAuth2Error where the request is gone."""
        request = await self._records.take(request_id)
        if request is None:
            raise invalid_request("This authorization request is unknown or has expired (10 minutes)")
        refused = access_denied("The person did not allow it")
        refused.redirect_uri, refused.state = request.redirect_uri, request.state
        return self.returned(refused)

    def returned(self, error: OAuth2Error) -> str:
        """Give the address that takes an error to the app whose `redirect_uri` it carries."""
        return self._answer(error.redirect_uri, dict(error.get_body()))

    def _answer(self, redirect_uri: str, parameters: Mapping[str, str]) -> str:
        joint = "&" if "?" in redirect_uri else "?"
        return f"{redirect_uri}{joint}{urlencode({**parameters, 'iss': self._addresses.issuer})}"

    async def _client(self, parameters: Parameters) -> Client:
        """Give the client where both it and its redirect_uri are beyond doubt."""
        doubtful = parameters.repeated & {"client_id", "redirect_uri"}
        fields = {} if doubtful else parameters.values
        client_id = fields.get("client_id", "")
        client = await self._clients.get(client_id) if client_id.isascii() and len(client_id) < _LONGEST_ID else None
        if client is None or not client.active or fields.get("redirect_uri") not in client.redirect_uris:
            raise invalid_request("client_id is unknown here, or redirect_uri is not exactly one of those registered for it")
        return client

    async def _judged(self, fields: Mapping[str, str], client: Client) -> AuthorizationRequest:
        rules.check_authorization(fields, client)
        self._check_smart(fields)
        scope = self._allowed(fields.get("scope", ""), client, started="launch" in fields)
        prompt = _prompt(fields)
        max_age = _max_age(fields)
        launch = await self._launch(fields, scope, client)
        moment = self._clock()
        return AuthorizationRequest(
            id=fresh(),
            client=client.id,
            client_name=client.name,
            redirect_uri=fields["redirect_uri"],
            scope=scope,
            state=fields["state"],
            challenge=fields["code_challenge"],
            created=moment,
            expires=moment + _LASTS,
            nonce=fields.get("nonce"),
            prompt=prompt,
            max_age=max_age,
            login_hint=fields.get("login_hint"),
            context=launch[0],
            account=launch[1],
        )

    def _check_smart(self, fields: Mapping[str, str]) -> None:
        if {"request", "request_uri"} & fields.keys():
            raise invalid_request("request and request_uri are not supported")
        if fields.get("response_mode", "query") != "query":
            raise invalid_request("response_mode must be query")
        if "state" not in fields:
            raise invalid_request("state is missing")
        if fields.get("aud", "").rstrip("/") != self._addresses.base:
            raise invalid_request(f"aud must be the FHIR base {self._addresses.base}")
        for name, most in _LONGEST.items():
            if len(fields.get(name, "")) > most:
                raise invalid_request(f"{name} is longer than {most} characters")

    def _allowed(self, scope: str, client: Client, *, started: bool) -> str:
        if not scope:
            raise invalid_scope("scope is missing")
        try:
            asked = self._scopes.parse(scope)
            granted = self._scopes.granted(scope, client.scope)
        except ScopeError as error:
            raise invalid_scope(str(error)) from None
        if "system" in asked.contexts:
            raise invalid_scope("system/ scopes are for systems (client_credentials), not for people")
        if not started:
            granted = _without(granted, "launch")  # an app may ask for it in case it is launched, and be started alone
        if not granted:
            raise invalid_scope("None of these scopes is in the registration of this client")
        return granted

    async def _launch(self, fields: Mapping[str, str], scope: str, client: Client) -> tuple[Context, str | None]:
        if "launch" not in fields:
            return Context(), None
        if "launch" not in scope.split(" "):
            raise invalid_scope("The parameter launch needs the scope launch")
        launch = await self._launches.take(fields["launch"], client.id)
        return launch.context, launch.account

    def _consented(self, request: AuthorizationRequest, session: Session, patient: str | None, scope: str) -> Authorization:
        if request.needs_login(session):
            raise access_denied("The person must log in for this request")
        try:
            granted = self._scopes.granted(scope, request.scope)
        except ScopeError as error:
            raise invalid_scope(str(error)) from None
        chosen = request.context.patient or patient
        if patient not in (None, chosen) or (patient is not None and not _PATIENT.fullmatch(patient)):
            raise invalid_request("The patient is not the one of this request")
        if chosen is None and _is_about_one(_without(granted, "launch")):
            raise invalid_request("A patient must be chosen")
        if role_of(session) == Role.PATIENT and chosen not in (None, session.fhir_user):
            raise access_denied("Patients see what is their own")
        return _authorization(request, session, chosen, granted)


def _prompt(fields: Mapping[str, str]) -> tuple[str, ...]:
    prompt = tuple(fields.get("prompt", "").split())
    if set(prompt) - _PROMPTS or ("none" in prompt and len(prompt) > 1):
        raise invalid_request("prompt is none, or some of login, consent, select_account")
    if prompt == ("none",):
        raise interaction_required("People are always asked for their consent: prompt=none cannot succeed")
    return prompt


def _max_age(fields: Mapping[str, str]) -> int | None:
    text = fields.get("max_age")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise invalid_request("max_age must be a number of seconds")
    return int(text)


def _authorization(request: AuthorizationRequest, session: Session, patient: str | None, scope: str) -> Authorization:
    return Authorization(
        client=request.client,
        account=session.account,
        fhir_user=session.fhir_user,
        session=session.id,
        role=role_of(session).value,
        scope=scope,
        authenticated=session.opened,
        factors=session.factors,
        organization=session.organization,
        facility=session.facility,
        patient=patient if _is_about_one(scope) else None,
        nonce=request.nonce,
        context=request.context if "launch" in scope.split(" ") else Context(),
    )


def _is_about_one(scope: str) -> bool:
    """Tell whether these scopes have a patient in context."""
    return any(word in ("launch", "launch/patient") or word.startswith("patient/") for word in scope.split(" "))


def _without(scope: str, word: str) -> str:
    return " ".join(each for each in scope.split(" ") if each != word)
