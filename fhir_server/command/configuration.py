"""The settings that a command works with."""

from fhir_server.command import CommandFailed
from fhir_server.settings import Settings, SettingsError, load


def read_settings(**chosen: object) -> Settings:
    """Read the settings; `chosen` is what the command line said (None: nothing)."""
    try:
        return load(None, **chosen)
    except SettingsError as error:
        raise CommandFailed(str(error)) from error
