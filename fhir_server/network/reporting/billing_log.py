"""The operation AuditEvent/$billing-log: the proofs for 検査・画像情報提供加算 and 電子的診療情報評価料 (NETWORK.md F114).

`side=provided`: range and time of what the facility provided; `side=received`: each access, what was viewed and the viewer's name.
"""

import re
from typing import Final

from fhir_server.audit.reports.access import Period
from fhir_server.audit.reports.billing import provided, received
from fhir_server.exchange import FhirResponse
from fhir_server.network.desk import Asked
from fhir_server.network.reporting.answering import csv
from fhir_server.network.reporting.asking import facility, form, source
from fhir_server.outcome import invalid

_MONTH: Final = re.compile(r"(20[0-9]{2}|21[0-9]{2})-(0[1-9]|1[0-2])")
_SIDES: Final = {"provided": provided, "received": received}


async def billing_log(asked: Asked) -> FhirResponse:
    """Give one month of a facility as CSV. Raises FhirError: 403 for whoever may not ask, 400 for what is no month or side."""
    organization = await facility(asked)
    form(asked, "csv")
    month = _MONTH.fullmatch(str(asked.arguments.one("month")))
    if month is None:
        raise invalid("month is a month: 2026-04 / 月を指定してください", "Parameters.parameter.where(name='month')", code="value")
    side = asked.arguments.one("side")
    if side not in _SIDES:
        raise invalid("side is one of provided, received", "Parameters.parameter.where(name='side')", code="value")
    span = Period.month(int(month[1]), int(month[2]), asked.desk.terms.zone)
    return csv(await _SIDES[side](source(asked), organization, span), f"billing-log-{side}-{month[0]}")
