"""One request for a page: who asks, in which language, on the way to which app; and how she is answered."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.policy import Standing
from fhir_server.auth.accounts.session import Session
from fhir_server.auth.directory import Assignment, Person
from fhir_server.auth.oauth.requests import AuthorizationRequest
from fhir_server.authorization.pages import templates
from fhir_server.authorization.pages.forms import Form
from fhir_server.authorization.pages.parts import Appearance, Login
from fhir_server.authorization.pages.protection import Cookies, Forms, protect
from fhir_server.authorization.pages.words import COOKIE as LANGUAGE_COOKIE
from fhir_server.authorization.pages.words import Language, Text, language

SESSION_COOKIE: Final = "tsunagi-session"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")
_YEAR: Final = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Problem:
    """Something the person can put right, at a field of the form or at none."""

    text: Text
    field: str = ""


@dataclass(slots=True)
class Visit:
    """One request. `session` is None before the login, `had_session` tells that the browser believes to be in one.

    `form_cookie` holds together the forms of pages that nobody has to be logged in for (`anonymous`). `asked` is what an app waits for.
    """

    http: Request
    login: Login
    language: Language
    form: Form
    cookies: Cookies
    form_cookie: str
    session: Session | None = None
    account: Account | None = None
    person: Person | None = None
    had_session: bool = False
    asked: AuthorizationRequest | None = None
    assignment: Assignment | None = None
    anonymous: bool = False
    _kept: dict[str, str] = field(default_factory=dict)

    @property
    def authorization(self) -> str | None:
        """The id of the app's request that goes along from page to page."""
        id = self.http.query_params.get("authorization", "")
        return id if _ID.fullmatch(id) else None

    @property
    def patient(self) -> str | None:
        """The patient chosen on an earlier page, "Patient/1"."""
        id = self.http.query_params.get("patient", "")
        return f"Patient/{id}" if re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", id) else None

    @property
    def csrf(self) -> str:
        """What a form must carry."""
        return self.session.csrf if self.session and not self.anonymous else Forms(self.login.secret).token(self.form_cookie)

    @property
    def is_known(self) -> bool:
        """Tell whether the page is about somebody who has logged in: it then hides itself when its session ends (F060)."""
        return self.session is not None and not self.anonymous

    @property
    def look(self) -> Appearance:
        """What the network says on all pages."""
        return self.login.appearance

    @property
    def standing(self) -> Standing:
        """How the person's password stands."""
        return self.login.people.accounts.policy.standing(self.known()[1], self.now)

    @property
    def due(self) -> bool:
        """Tell whether the password must be changed before anything else."""
        return self.standing.due

    @property
    def notice(self) -> Text | None:
        """What is said some days before the password expires (F058)."""
        standing = self.standing
        return Text(standing.ja, standing.en) if standing.warns else None

    @property
    def now(self) -> datetime:
        """The time."""
        return self.login.clock()

    @property
    def today(self) -> date:
        """The day, where the network is."""
        return self.now.astimezone(self.login.zone).date()

    def known(self) -> tuple[Session, Account]:
        """Give session and account; the door lets nobody through to a page that needs them who has none."""
        assert self.session is not None
        assert self.account is not None
        return self.session, self.account

    def keep(self, cookie: str) -> None:
        """Let the browser have the cookie of a session."""
        self._kept[SESSION_COOKIE] = cookie

    def t(self, ja: str, en: str) -> str:
        """Give one of two texts, in the person's language."""
        return Text(ja, en).of(self.language)

    def path(self, page: str, **query: str | None) -> str:
        """Give the address of a page of ours, on the way to the same app."""
        asked = {"authorization": self.authorization, **query}
        pairs = urlencode({name: value for name, value in asked.items() if value})
        return f"{self.login.root}/auth/{page}{'?' + pairs if pairs else ''}"

    def query_in(self, language: Language) -> str:
        """Give the query of this page in another language."""
        return urlencode([*((name, value) for name, value in self.http.query_params.multi_items() if name != "lang"), ("lang", language)])

    def page(
        self, template: str, *, status: int = 200, problems: Sequence[Problem] = (), leads_to: str | None = None, **values: Any
    ) -> Response:  # fmt: skip
        """Answer with a page."""
        text = templates.render(template, visit=self, zone=self.login.zone, problems=problems, language=self.language, **values)
        return self._set(protect(HTMLResponse(text, status), leads_to=leads_to))

    def go(self, page: str, **query: str | None) -> Response:
        """Send the person on to a page of ours."""
        return self.leave(self.path(page, **query))

    def leave(self, address: str) -> Response:
        """Send the person to an address: one of ours, or one that is registered for the app."""
        return self._set(protect(RedirectResponse(address, 303)))

    def _set(self, response: Response) -> Response:
        chosen = language(self.http.query_params.get("lang"))
        if chosen is not None:
            self.cookies.set(response, LANGUAGE_COOKIE, chosen, _YEAR)
        if self.anonymous:
            self.cookies.set(response, Forms.COOKIE, self.form_cookie)
        for name, value in self._kept.items():
            self.cookies.set(response, name, value)
        return response
