"""The EHR launcher, in a sandbox only: it stands for the EHR that launches an app with a patient on its screen.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch

It names patients and users to whoever opens it, which is why `add_launcher` is called for a sandbox and never otherwise. A
launch opens nothing by itself: the person logs in, and her role decides.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from fastapi import FastAPI, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from fhir_server.auth.accounts.account import ACCOUNTS
from fhir_server.auth.clients import CLIENTS, Client
from fhir_server.auth.directory import Directory
from fhir_server.auth.oauth.launches import Context, Launches
from fhir_server.auth.roles import TITLES
from fhir_server.authorization.pages import forms
from fhir_server.authorization.pages.protection import form_source, policy, protect
from fhir_server.authorization.pages.words import Language, Text, preferred
from fhir_server.search.expression import OfType
from fhir_server.search.query import Query
from fhir_server.store.records import Shelf
from fhir_server.store.repository import Repository
from profiles import json

BY: Final = "launcher"

_MOST_PATIENTS: Final = 300
_MOST_USERS: Final = 100
_UNKNOWN_APP: Final = Text("このアプリは登録されていないか、起動できません。", "This app is not registered, or cannot be launched.")
_UNKNOWN_USER: Final = Text("この利用者は登録されていません。", "There is no such user.")
_UNKNOWN_PATIENT: Final = Text("この患者は登録されていません。", "There is no such patient.")
_UNREADABLE: Final = Text("送られた内容を読み取れません。", "What was sent cannot be read.")


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody to choose: the id that the form sends, and what is read."""

    id: str
    label: str


class Refused(Exception):  # noqa: N818 - it says what is wrong, to be read on the page
    """What was chosen does not exist."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class Launcher:
    """Knows what can be launched, for whom, and launches it. `repository` sees everything; `base` is the FHIR base."""

    def __init__(self, shelf: Shelf, repository: Repository, directory: Directory, launches: Launches, base: str) -> None:
        self._accounts = shelf.records(ACCOUNTS)
        self._clients = shelf.records(CLIENTS)
        self._repository = repository
        self._directory = directory
        self._launches = launches
        self._base = base

    async def apps(self) -> list[Client]:
        """Give the registered apps that can be launched."""
        return [client for client in await self._clients.find(active=True) if client.launch_uri is not None]

    async def users(self, language: Language) -> list[Choice]:
        """Give the people who have an account: login ID, name, what they are."""
        found = []
        for account in await self._accounts.find(_MOST_USERS, active=True):
            person = await self._directory.person(account.fhir_user)
            roles = dict.fromkeys(each.role for each in await self._directory.assignments(account.fhir_user))
            titles = ", ".join(Text(*TITLES[role]).of(language) for role in roles)
            found.append(Choice(account.id, " — ".join(part for part in (account.id, person.name if person else "", titles) if part)))
        return found

    async def patients(self) -> tuple[list[Choice], bool]:
        """Give patients in the order of their kana, and whether there are more."""
        page = await self._repository.find(Query("Patient", OfType(("Patient",)), count=_MOST_PATIENTS))
        known = [json.decode(version.body) for version in page.versions if version.body is not None]
        return [_patient(each) for each in sorted(known, key=_kana)], page.after is not None

    async def launch(self, app: str, user: str, patient: str) -> str:
        """Make the launch; give where the browser goes. Raises Refused."""
        client = await self._clients.get(app)
        if client is None or client.launch_uri is None or not client.active:
            raise Refused(_UNKNOWN_APP)
        if user and await self._accounts.get(user) is None:
            raise Refused(_UNKNOWN_USER)
        if patient and await self._directory.person(f"Patient/{patient}") is None:
            raise Refused(_UNKNOWN_PATIENT)
        context = Context(patient=f"Patient/{patient}" if patient else None)
        launch = await self._launches.open(BY, context, client=client.id, account=user or None)
        return _with(client.launch_uri, {"iss": self._base, "launch": launch})


def add_launcher(app: FastAPI, launcher: Callable[[], Launcher | None]) -> None:
    """Add the page `/launcher`; `launcher` gives None while the server is starting."""

    @app.api_route("/launcher", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request) -> Response:
        known = launcher()
        return await _page(known, request, {}, None) if known else Response(status_code=503)

    @app.post("/launcher", include_in_schema=False)
    async def launch(request: Request) -> Response:
        known = launcher()
        if known is None:
            return Response(status_code=503)
        try:
            form = await forms.read(request)
        except forms.Unreadable as unreadable:
            return await _page(known, request, {}, _UNREADABLE, unreadable.status)
        chosen = {name: form.line(name) for name in ("app", "user", "patient")}
        try:
            address = await known.launch(**chosen)
        except Refused as refused:
            return await _page(known, request, chosen, refused.text, 400)
        return protect(Response(status_code=303, headers={"Location": address}))


async def _page(launcher: Launcher, request: Request, chosen: Mapping[str, str], problem: Text | None, status: int = 200) -> Response:
    language = preferred(request, None)
    apps = await launcher.apps()
    patients, more = await launcher.patients()
    text = _template().render(
        t=lambda ja, en: Text(ja, en).of(language),
        language=language,
        other="en" if language == "ja" else "ja",
        apps=apps,
        users=await launcher.users(language),
        patients=patients,
        more=more,
        chosen={"app": "", "user": "", "patient": "", **chosen},
        problem=problem.of(language) if problem else None,
    )
    response = protect(Response(text, status, media_type="text/html"))
    response.headers["Content-Security-Policy"] = _policy(apps)
    return response


def _policy(apps: Sequence[Client]) -> str:
    """Let the form lead to the apps, too: Chromium asks the policy about the redirect that follows a form."""
    sources = sorted({source for app in apps if app.launch_uri and (source := form_source(app.launch_uri))})
    return policy().replace("form-action 'self'", " ".join(["form-action 'self'", *sources]))


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("fhir_server.authorization", "launcher_page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("launcher.html")


def _patient(resource: Mapping[str, Any]) -> Choice:
    names = [str(name.get("text", "")) for name in resource.get("name", ())]
    written = " / ".join(name for name in names if name) or str(resource["id"])
    born = resource.get("birthDate", "")
    numbers = ", ".join(str(each.get("value", "")) for each in resource.get("identifier", ()))
    return Choice(str(resource["id"]), "  ".join(part for part in (written, born, numbers) if part))


def _kana(resource: Mapping[str, Any]) -> tuple[str, str]:
    names = [str(name.get("text", "")) for name in resource.get("name", ())]
    return (names[-1] if names else "", str(resource.get("birthDate", "")))


def _with(address: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query="&".join(part for part in (parts.query, urlencode(parameters)) if part)))
