"""What an operator may choose, and the only reader of the environment; `docs/settings.md` lists all of it."""

from fhir_server.settings.declared import Settings
from fhir_server.settings.documentation import markdown
from fhir_server.settings.reading import SettingsError, load

__all__ = ["Settings", "SettingsError", "load", "markdown"]
