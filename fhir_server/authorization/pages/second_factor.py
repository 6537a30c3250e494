"""The second factor is asked for, and registered (L02): an authenticator app, a passkey or security key; a recovery code instead."""

from base64 import b64encode
from typing import Final

from fastapi import Response

from fhir_server.auth.accounts.account import Account
from fhir_server.auth.accounts.refusals import LoginFailed
from fhir_server.auth.accounts.sessions import Factor
from fhir_server.auth.throttle import TooMany
from fhir_server.authorization.pages import confirming, steps
from fhir_server.authorization.pages.visit import Problem, Visit
from fhir_server.authorization.pages.words import Text

_FIELDS: Final = {"totp": "code", "recovery": "recovery", "passkey": ""}
_WRONG: Final = Text(
    "確認できませんでした。入力が正しくないか、すでに使われたか、現在ご利用いただけません。",
    "This could not be confirmed: it is wrong, was used before, or cannot be used at present.",
)


async def show(visit: Visit) -> Response:
    """Ask for the second factor, or go on where nothing is missing."""
    session, account = visit.known()
    if visit.login.people.sessions.lacks(session, account) != "second-factor":
        return await steps.onward(visit)
    return await _form(visit)


async def send(visit: Visit) -> Response:
    """Check what was given."""
    session, account = visit.known()
    kind = visit.form.get("kind")
    if visit.login.people.sessions.lacks(session, account) != "second-factor":
        return await steps.onward(visit)
    try:
        checked, factor = await _checked(visit, kind)
    except LoginFailed:
        return await _form(visit, Problem(_WRONG, _FIELDS.get(kind, "")))
    except TooMany as failed:
        return await _form(visit, Problem(Text(failed.ja, failed.en)), status=429)
    return await _proved(visit, checked, factor)


async def show_registration(visit: Visit) -> Response:
    """Offer a seed for an app, and the registration of a key."""
    return await _registration(visit)


async def send_registration(visit: Visit) -> Response:
    """Register an app by a code it shows, or a key by its answer."""
    wrong = await confirming.failed(visit)
    if wrong is not None:
        return await _registration(visit, wrong)
    try:
        account, factor = await _registered(visit)
    except LoginFailed:
        return await _registration(visit, Problem(_WRONG, "code" if visit.form.get("kind") == "totp" else ""))
    return await _proved(visit, account, factor, first=True)


async def _checked(visit: Visit, kind: str) -> tuple[Account, Factor]:
    session, account = visit.known()
    people = visit.login.people
    match kind:
        case "totp":
            return await people.second_factor.check(account.id, visit.form.get("code")), "otp"
        case "passkey":
            return await people.passkeys.check(session, visit.form.get("credential")), "hwk"
        case "recovery":
            return await people.second_factor.check_recovery_code(account.id, visit.form.get("recovery")), "recovery"
    raise LoginFailed


async def _registered(visit: Visit) -> tuple[Account, Factor]:
    session, _ = visit.known()
    people = visit.login.people
    if visit.form.get("kind") == "passkey":
        return await people.passkeys.register(session, visit.form.get("credential"), visit.form.line("name")), "hwk"
    return await people.second_factor.register(session, visit.form.get("code")), "otp"


async def _proved(visit: Visit, account: Account, factor: Factor, *, first: bool = False) -> Response:
    visit.session = await visit.login.people.sessions.prove(visit.known()[0], account, factor)
    visit.account = account
    return await steps.onward(visit, first=first)


async def _form(visit: Visit, *problems: Problem, status: int = 422) -> Response:
    session, account = visit.known()
    usable = bool(account.passkeys) and visit.login.has_passkeys
    return visit.page(
        "second_factor.html",
        status=status if problems else 200,
        problems=problems,
        options=await visit.login.people.passkeys.login_options(session) if usable else "",
        recovering=any(each.field == "recovery" for each in problems),
    )


async def _registration(visit: Visit, *problems: Problem) -> Response:
    session, account = visit.known()
    people = visit.login.people
    offer = await people.second_factor.offer(session)
    return visit.page(
        "register.html",
        status=422 if problems else 200,
        problems=problems,
        required=people.sessions.lacks(session, account) == "second-factor/register",
        confirms=confirming.needed(visit),
        qr=f"data:image/svg+xml;base64,{b64encode(_standing_alone(offer.svg).encode()).decode()}",
        letters=" ".join(offer.letters[each : each + 4] for each in range(0, len(offer.letters), 4)),
        options=await people.passkeys.registration_options(session) if visit.login.has_passkeys else "",
    )


def _standing_alone(svg: str) -> str:
    """Give an image that was made to stand in HTML as one that stands for itself."""
    return svg if "xmlns=" in svg else svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
