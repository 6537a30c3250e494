"""The pages a person sees: login, second factor, facility, patient, consent, her account.

Plain HTML that the server writes, in Japanese and English, usable by keyboard; the only script is the one WebAuthn needs.
"""

from fhir_server.authorization.pages.door import refused_page
from fhir_server.authorization.pages.parts import Appearance, Login
from fhir_server.authorization.pages.patients import Patients
from fhir_server.authorization.pages.table import add_pages

__all__ = ["Appearance", "Login", "Patients", "add_pages", "refused_page"]
