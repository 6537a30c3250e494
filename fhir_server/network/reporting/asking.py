"""What every report asks first: who may have it, of which facility, of which time, in which form."""

from datetime import datetime, timedelta
from typing import Any, Final

from fhir_server.audit.reports.access import Period, Source
from fhir_server.auth.roles import Role
from fhir_server.auth.scopes import ScopeError, ScopeGrammar
from fhir_server.network.desk import Asked
from fhir_server.network.emergency.asking import named
from fhir_server.network.reporting.naming import naming
from fhir_server.outcome import FhirError, Issue, invalid, not_found
from profiles.primitives import date_span

OF_FACILITIES: Final = (Role.PHYSICIAN, Role.PHARMACIST, Role.NURSE, Role.CLERK)
OF_ALL: Final = (Role.SECRETARIAT, Role.AUDITOR)


async def facility(asked: Asked) -> str:
    """Give the facility that is reported on: one's own, or for the secretariat and the auditor the one that is named.

    Raises FhirError: 403 for whoever may not ask, or for another facility than his own, 400 where none is named, 404 where there is none.
    """
    asked.require(*OF_FACILITIES, *OF_ALL)
    _require_scope(asked, "AuditEvent" if asked.requester.role is Role.AUDITOR else "Patient")
    organization = named(asked, "organization", "Organization")
    own = asked.requester.organization
    if asked.requester.role in OF_FACILITIES:
        if own is None or organization not in (None, own):
            raise FhirError(
                Issue("forbidden", "A facility's log is for its own people / 自施設の記録のみ参照できます", (_where("organization"),))
            )
        return own
    if organization is None:
        raise invalid("organization names the facility / 施設を指定してください", _where("organization"), code="required")
    if await asked.desk.read(organization) is None:
        raise not_found("Organization", organization.partition("/")[2])
    return organization


def period(asked: Asked, days: int) -> Period:
    """Give the time from `since` to `until`: up to now where that is not said, and so many days back. Raises FhirError (400)."""
    zone, now = asked.desk.terms.zone, asked.desk.now()
    until = _moment(asked, "until", 1)
    until = now if until is None else min(until, now)
    since = _moment(asked, "since", 0)
    since = until - timedelta(days=days) if since is None else since
    if since > until and asked.arguments.one("until") is not None:
        raise invalid("since is after until / 開始が終了より後です", _where("since"), code="value")
    return Period(min(since, until).astimezone(zone), until.astimezone(zone))


def form(asked: Asked, *forms: str) -> str:
    """Give the form that is asked for with `as`, the first one where none is. Raises FhirError (400) for another."""
    wanted = asked.arguments.one("as")
    if wanted is None:
        return forms[0]
    if wanted not in forms:
        raise invalid(f"as is one of {', '.join(forms)}", _where("as"), code="value")
    return str(wanted)


def source(asked: Asked) -> Source:
    """Give what reports are made from: the log, the network's zone, and names."""
    assert asked.desk.log is not None
    return Source(asked.desk.log, asked.desk.terms.zone, naming(asked.desk))


def _require_scope(asked: Asked, type: str) -> None:
    """A report tells of all patients: neither one that a launch has chosen nor a part of the type will do."""
    asked.seen.permit.require("search-type", (type,))
    try:
        scopes = ScopeGrammar(asked.desk.serving.parameters, asked.desk.terms.zone).parse(asked.requester.scope).resources
    except ScopeError:
        scopes = ()
    if not any(each.context == "user" and each.type in (type, "*") and "s" in each.letters and not each.parameters for each in scopes):
        text = f"${asked.request.operation} needs the scope user/{type}.s / スコープが不足しています"
        raise FhirError(Issue("forbidden", text, ("http.header",)))


def _moment(asked: Asked, name: str, end: int) -> datetime | None:
    value: Any = asked.arguments.one(name)
    if value is None:
        return None
    try:
        ms = date_span(value, asked.desk.terms.zone)[end]
    except (ValueError, OverflowError):
        raise invalid(f"{name} is a date or a time / 日付または日時を指定してください", _where(name), code="value") from None
    return datetime.fromtimestamp(min(max(ms, 0), _LAST) / 1000, asked.desk.terms.zone)


_LAST: Final = 253_370_764_800_000  # the year 9999, where datetime ends in every zone


def _where(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}')"
