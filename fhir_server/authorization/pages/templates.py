"""Writes pages from the templates beside this package; whatever comes from people or resources is escaped.

https://jinja.palletsprojects.com/en/stable/api/#autoescaping
"""

from datetime import datetime, tzinfo
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fhir_server.auth.roles import TITLES, Role
from fhir_server.authorization.pages import birth_date
from fhir_server.authorization.pages.words import Text

_SEX = {
    "male": Text("男性", "male"),
    "female": Text("女性", "female"),
    "other": Text("その他", "other"),
    "unknown": Text("不明", "unknown"),
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("fhir_server.authorization", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["birth"] = birth_date.written
    environment.filters["sex"] = _sex
    environment.filters["role"] = _role
    environment.filters["moment"] = _moment
    return environment


def render(template: str, **values: Any) -> str:
    """Write a page."""
    return _environment().get_template(template).render(**values)


def _sex(code: str) -> Text:
    return _SEX.get(code, _SEX["unknown"])


def _role(role: str) -> Text:
    ja, en = TITLES[Role(role)]
    return Text(ja, en)


def _moment(moment: datetime, zone: tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
