"""The paths below /pki: enrol with an invitation, renew with a certificate, revocation lists, authorities.

Programs send a form or JSON, {"token": ..., "csr": ...}, and get the chain as PEM (RFC 8555, 9.1), or without a request of
their own a PKCS#12 file and its password as JSON. People use the page. The code is the only credential and comes in a body,
never in an address; nobody's browser holds it, so no other site can send it in somebody's name.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding
from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from fhir_server.auth.certificates.pki import Pki
from fhir_server.auth.throttle import Throttle
from fhir_server.authorization.enrolment_page import form_page, result_page
from fhir_server.authorization.pages.forms import Form, Unreadable, read
from fhir_server.authorization.pages.protection import protect
from fhir_server.authorization.pages.words import Text, preferred
from fhir_server.authorization.receiving import source_of
from fhir_server.outcome import FhirError, Issue, invalid, operation_outcome

_LARGEST: Final = 64 * 1024
_SECONDS: Final = 30.0
_CHAIN: Final = "application/pem-certificate-chain"
_REFUSED: Final = Text(
    "この招待コードは使えません。入力を確かめてください。使用済みか、7 日を過ぎている場合は、事務局に新しいコードを依頼してください。",
    "This code does not work. Please check it. If it was used, or is older than 7 days, ask the secretariat for another.",
)
_LATER: Final = Text(
    "ただいま処理できません。しばらくしてからもう一度お試しください。", "This is not possible at present. Please try again later."
)


@dataclass(frozen=True, slots=True)
class Enrolling:
    """What the paths need: the certificates, how often an address may ask in a minute, the network's name and zone for people."""

    pki: Pki
    throttle: Throttle
    network: str = "Tsunagi"
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Tokyo"))
    rate: int = 30
    source: Callable[[Scope], str] = source_of

    async def allow(self, request: Request) -> None:
        """Count one more attempt. Raises FhirError (429)."""
        await self.throttle.allow("enrol", self.source(request.scope), self.rate, 60)


class _Sent(msgspec.Struct, frozen=True):
    """What a program sends."""

    token: str = ""
    csr: str = ""


Answer = Callable[[Enrolling, Request], Awaitable[Response]]


def add_enrolment(app: FastAPI, enrolling: Callable[[], Enrolling | None]) -> None:
    """Add the routes; `enrolling` gives None before the start."""

    def add(path: str, methods: list[str], answer: Answer) -> None:
        async def answered(request: Request) -> Response:
            known = enrolling()
            if known is None:
                return _failed(FhirError(Issue("transient", "The server is starting"), headers=[("Retry-After", "2")]))
            try:
                return await answer(known, request)
            except FhirError as failure:
                return _failed(failure)
            except ClientDisconnect:
                return Response(status_code=400)  # nobody reads it

        app.add_api_route(path, answered, methods=methods, include_in_schema=False, response_model=None)

    add("/pki/enrol", ["GET", "HEAD"], _show)
    add("/pki/enrol", ["POST"], _enrol)
    add("/pki/renew", ["POST"], _renew)
    for path in ("/pki/crl", "/pki/crl/{authority}"):
        add(path, ["GET", "HEAD"], _revocation_list)
    for path in ("/pki/ca", "/pki/ca/{authority}"):
        add(path, ["GET", "HEAD"], _authorities)


async def _show(known: Enrolling, request: Request) -> Response:
    return _page(form_page(known.network, preferred(request, None)))


async def _enrol(known: Enrolling, request: Request) -> Response:
    sent, from_page = await _sent(request)
    if from_page:
        return await _enrol_person(known, request, sent.token)
    await known.allow(request)
    if sent.csr:
        issued = await known.pki.enrolment.enrol(sent.token, sent.csr.encode("utf-8", "replace"))
        return _secret(issued.chain, _CHAIN)
    bundle, issued = await known.pki.enrolment.enrol_bundle(sent.token)
    body = {
        "number": issued.record.id,
        "serial": issued.record.serial,
        "ends": issued.record.ends,
        "password": bundle.password,
        "pkcs12": b64encode(bundle.content).decode(),
    }
    return _secret(msgspec.json.encode(body), "application/json")


async def _enrol_person(known: Enrolling, request: Request, token: str) -> Response:
    language = preferred(request, None)
    try:
        await known.allow(request)
        bundle, issued = await known.pki.enrolment.enrol_bundle(token)
    except FhirError as failure:
        wrong = _LATER if failure.status in (429, 503) else _REFUSED
        page = _page(form_page(known.network, language, wrong), failure.status)
        page.headers.update(dict(failure.headers))
        return page
    ends = f"{issued.record.ends.astimezone(known.zone):%Y-%m-%d}"
    return _page(result_page(known.network, language, bundle, issued.record.id, ends), 201)


async def _renew(known: Enrolling, request: Request) -> Response:
    await known.allow(request)
    shown = known.pki.binding.presented(request.scope)
    old = known.pki.register.known(shown.thumbprint) if shown is not None else None
    if old is None:
        raise FhirError(Issue("security", "A certificate is renewed over a connection that shows it"))
    sent, _ = await _sent(request)
    issued = await known.pki.enrolment.renew(old, sent.csr.encode("utf-8", "replace"))
    return _secret(issued.chain, _CHAIN)


async def _revocation_list(known: Enrolling, request: Request) -> Response:
    made = await known.pki.lists.of(request.path_params.get("authority"))
    if made is None:
        raise FhirError(Issue("not-found", "There is no such authority"))
    return Response(made, media_type="application/pkix-crl", headers={"Cache-Control": "public, max-age=60"})


async def _authorities(known: Enrolling, request: Request) -> Response:
    """Give all authorities as PEM; one by its id as DER, which is what AuthorityInformationAccess leads to."""
    id = request.path_params.get("authority")
    if id is None:
        return Response(await known.pki.chain(), media_type=_CHAIN, headers={"Cache-Control": "public, max-age=300"})
    opened = await known.pki.authorities.named(id)
    if opened is None:
        raise FhirError(Issue("not-found", "There is no such authority"))
    return Response(opened.issuer.certificate.public_bytes(Encoding.DER), media_type="application/pkix-cert")


async def _sent(request: Request) -> tuple[_Sent, bool]:
    """Read a form or JSON, and tell whether it comes from the page. Raises FhirError."""
    try:
        async with asyncio.timeout(_SECONDS):
            if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
                return msgspec.json.decode(await _body(request), type=_Sent), False
            form: Form = await read(request)
            return _Sent(form.line("token"), form.get("csr")), "page" in form
    except Unreadable as unreadable:
        raise invalid("Send a form or JSON with `token` and, where the key is yours, `csr`", status=unreadable.status) from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise invalid("The body is no JSON object with the texts `token` and `csr`") from None
    except TimeoutError:
        raise invalid("The body did not arrive in time", status=408) from None


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST:
            raise Unreadable(413)
    return bytes(body)


def _page(text: str, status: int = 200) -> Response:
    return protect(Response(text, status, media_type="text/html"))


def _secret(content: bytes, media_type: str) -> Response:
    return Response(content, 201, media_type=media_type, headers={"Cache-Control": "no-store"})


def _failed(failure: FhirError) -> Response:
    body = msgspec.json.encode(operation_outcome(failure.issues))
    headers = {"Cache-Control": "no-store", **dict(failure.headers)}
    return Response(body, failure.status, media_type="application/fhir+json", headers=headers)
