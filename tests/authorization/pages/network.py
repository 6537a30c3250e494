"""A small network for the tests of the pages, put together of the server's own parts."""

import base64
import hashlib
import html
import re
from datetime import timedelta
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from fastapi import FastAPI

from fhir_server.app import Registry
from fhir_server.auth.accounts.attempts import Lockout
from fhir_server.auth.accounts.guessable import Personal
from fhir_server.auth.accounts.passwords import Passwords
from fhir_server.auth.accounts.people import Host, open_people
from fhir_server.auth.accounts.policy import POLICIES
from fhir_server.auth.clients import CLIENTS, Client
from fhir_server.auth.oauth.parameters import Parameters
from fhir_server.auth.roles import FACILITY_ROLE_SYSTEM, ROLE_SYSTEM
from fhir_server.authorization.administration.endings import Endings
from fhir_server.authorization.pages import Appearance, Login, Patients, add_pages
from fhir_server.authorization.pages.words import Text
from fhir_server.exchange import FhirRequest
from fhir_server.service import Local
from tests.rest.served import patient

GOOD, BETTER = "x7kq2mpa", "vb4nzt9w"
KANA = {"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SCOPE = "openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs patient/MedicationRequest.rs"


def organization(id, code, name):
    return {
        "resourceType": "Organization",
        "id": id,
        "active": True,
        "identifier": [{"system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no", "value": code}],
        "type": [{"coding": [{"system": FACILITY_ROLE_SYSTEM, "code": role}]} for role in ("providing", "sharing", "viewing")],
        "name": name,
    }


def practitioner(id, name, birth="1975-01-02"):
    return {"resourceType": "Practitioner", "id": id, "active": True, "name": [{"text": name, "family": name}], "birthDate": birth}


def works(person, place, role="physician"):
    return {
        "resourceType": "PractitionerRole",
        "id": f"{person}-{place}-{role}",
        "active": True,
        "practitioner": {"reference": f"Practitioner/{person}"},
        "organization": {"reference": f"Organization/{place}"},
        "code": [{"coding": [{"system": ROLE_SYSTEM, "code": role}]}],
    }


def person(id, name, kana, birth, sex="female", number="0001"):
    made = patient(id=id, birthDate=birth, gender=sex)
    family, _, given = name.partition(" ")
    read, _, by = kana.partition(" ")
    made["name"] = [
        {"text": name, "family": family, "given": [given] if given else ["-"]},
        {"extension": [KANA], "text": kana, "family": read, "given": [by or "-"]},
    ]
    made["identifier"] = [{"system": "urn:oid:1.2.392.100495.20.3.51.13101", "value": number}]
    return made


class Network:
    """A network whose pages are at `issuer`."""

    def __init__(self, registry: Registry, issuer: str, policy: str, passwords: Passwords, idle: timedelta) -> None:
        identity = registry.identity
        self.registry = registry
        self.issuer = issuer
        self.server = identity.authorization
        host = Host("localhost" if "localhost" in issuer else "fhir.example.jp", (issuer,), "つなぎ")
        self.people = open_people(
            identity.shelf,
            POLICIES[policy],
            identity.sealer,
            b"k" * 32,
            host=host,
            passwords=passwords,
            lockout=Lockout(delay=0),
            idle=idle,
        )
        grants = self.server.grants
        self.clients = identity.shelf.records(CLIENTS)
        self.login = Login(
            issuer=issuer,
            secret=b"p" * 32,
            people=self.people,
            requests=self.server.requests,
            grants=grants,
            endings=Endings(identity.shelf, self.people.sessions, grants, identity.cuts),
            clients=self.clients,
            scopes=identity.grammar,
            directory=identity.directory,
            patients=Patients(registry.service.perform),
            appearance=Appearance(
                network=Text("かがわ医療連携ネットワーク", "Kagawa medical network"),
                notices=(Text("4月5日の夜間に保守を行います。", "Maintenance in the night of 5 April."),),
                manual="https://fhir.example.jp/manual/",
                contact=Text("事務局 087-000-0000", "the secretariat, +81 87-000-0000"),
                version="Ver 1.0",
            ),
            idle=idle,
        )
        self.app = FastAPI()
        add_pages(self.app, lambda: self.login)

    async def store(self, *resources):
        """Store resources, as the operator does, in custody of the hospital."""
        operator = Local("local", organization="Organization/kagawa")
        for each in resources:
            await self.registry.service.perform(FhirRequest("update", each["resourceType"], each["id"], body=each), operator)

    async def found(self):
        """Set up facilities, people, patients and an app."""
        await self.store(
            organization("kagawa", "3710000001", "香川中央病院"),
            organization("sanuki", "3710000002", "さぬき診療所"),
            practitioner("hanako", "高松 花子"),
            practitioner("taro", "丸亀 太郎"),
            works("hanako", "kagawa"),
            works("hanako", "sanuki"),
            works("taro", "kagawa"),
            person("p1", "坂出 桜", "サカイデ サクラ", "1966-06-06", number="0001"),
            person("p2", "坂出 梅子", "サカイデ ウメコ", "1951-02-03", number="0002"),
            person("p3", "<script>alert(1)</script>", "ヤマダ タロウ", "2019-05-01", "male", number="0003"),
        )
        await self.clients.put(self.client())

    def client(self, **changes):
        """Make the registration of the app."""
        fields = {
            "id": "viewer",
            "name": "検査グラフ <b>",
            "method": "none",
            "scope": SCOPE + " user/Patient.rs launch patient/Observation.cud",
            "created": self.login.clock(),
            "redirect_uris": ("https://app.example.org/back", "http://127.0.0.1:9/back"),
        }
        return Client(**{**fields, **changes})

    async def account(self, login="taro", fhir_user="Practitioner/taro", *, password=GOOD):
        """Make an account; without a password it has the initial one, which is given."""
        await self.people.accounts.create(login, fhir_user)
        initial = await self.people.accounts.set_initial_password(login)
        if password is None:
            return initial
        await self.people.accounts.change_password(login, initial, password, Personal())
        return password

    async def asks(self, scope=SCOPE, redirect_uri="https://app.example.org/back", **more):
        """Begin an authorization request of the app; give its id."""
        fields = {
            "response_type": "code",
            "client_id": "viewer",
            "redirect_uri": redirect_uri,
            "scope": scope,
            "state": "s" * 32,
            "aud": f"{self.issuer}/fhir",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        return (await self.server.requests.begin(Parameters(fields))).id

    def browser(self, **headers):
        """Open a browser that follows nothing by itself."""
        transport = httpx.ASGITransport(app=self.app)
        return Browser(httpx.AsyncClient(transport=transport, base_url=self.issuer, headers={"accept-language": "ja", **headers}))


class Browser:
    """What a person does with pages: opens them, fills their forms in, follows where they lead."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.page = httpx.Response(200)

    async def open(self, path):
        """Open a page below /auth/, without following redirects."""
        self.page = await self.client.get(path if path.startswith("/") else f"/auth/{path}")
        return self.page

    async def send(self, path=None, *, csrf=None, **fields):
        """Send the form of the page that is open."""
        path = path or next(iter(re.findall(r'<form method="post" action="([^"]+login[^"]*|[^"]+)"', self.main)), str(self.page.url))
        sent = {"csrf": self.csrf if csrf is None else csrf, **fields}
        self.page = await self.client.post(
            html.unescape(path) if path.startswith("/") else f"/auth/{path}",
            content=urlencode(sent, doseq=True),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        return self.page

    async def follow(self):
        """Follow redirects below /auth/ as far as they lead."""
        while self.page.is_redirect and self.to.startswith("/"):
            self.page = await self.client.get(self.to)
        return self.page

    async def log_in(self, login="taro", password=GOOD, authorization=None):
        """Go through the login form; give where it leads."""
        await self.open(f"login?authorization={authorization}" if authorization else "login")
        await self.send("login" + (f"?authorization={authorization}" if authorization else ""), login=login, password=password)
        return self.to

    @property
    def main(self):
        """The content of the page, between header and footer."""
        return self.page.text.partition("<main")[2]

    @property
    def csrf(self):
        """What the forms of the page carry."""
        return html.unescape(next(iter(re.findall(r'name="csrf" value="([^"]*)"', self.page.text)), ""))

    @property
    def to(self):
        """Where the page leads."""
        return self.page.headers.get("location", "")


def code(letters, moment):
    """Give the code of an authenticator app at a time."""
    return TOTP(base64.b32decode(letters.replace(" ", "")), 6, SHA1(), 30).generate(int(moment)).decode()
