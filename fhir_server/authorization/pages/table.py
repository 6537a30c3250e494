"""All pages: their addresses below /auth/, what each asks of the session, what shows it and what takes its form."""

from collections.abc import Callable
from typing import Final

from fastapi import FastAPI

from fhir_server.authorization.pages import account, consent, facility, login, logout, password, patient, recovery, second_factor
from fhir_server.authorization.pages.door import Needs, Page, add
from fhir_server.authorization.pages.parts import Login
from fhir_server.authorization.pages.static import add_static

PAGES: Final = (
    Page("login", Needs.NOTHING, login.show, login.send),
    Page("recovery", Needs.NOTHING, recovery.show, recovery.send),
    Page("second-factor", Needs.STEP, second_factor.show, second_factor.send),
    Page("password", Needs.STEP, password.show, password.send),
    Page("second-factor/register", Needs.STEP, second_factor.show_registration, second_factor.send_registration),
    Page("recovery/codes", Needs.STEP, recovery.show_codes, recovery.send_codes),
    Page("facility", Needs.STEP, facility.show, facility.send),
    Page("patient", Needs.FACILITY, patient.show, patient.send),
    Page("consent", Needs.FACILITY, consent.show, consent.send),
    Page("account", Needs.STEP, account.show, account.send),
    Page("logout", Needs.SESSION, logout.show, logout.send),
)


def add_pages(app: FastAPI, parts: Callable[[], Login | None]) -> None:
    """Add the pages; `parts` gives None before the start."""
    add_static(app)
    for page in PAGES:
        add(app, parts, page)
