"""The database that a command works on, as the settings say."""

from fhir_server.command import CommandFailed
from fhir_server.settings import Settings
from fhir_server.store.embedded import Database, EmbeddedError, Options, open_database


def open_for(settings: Settings, purpose: str, *, share: bool = False) -> Database:
    """Open the database: TSUNAGI_MONGODB_URI, else the embedded one, beside another process where `share` is given.

    `purpose` tells a refused second owner who has it, e.g. "tsunagi serve".
    """
    options = Options(settings.mongodb_cache or None, settings.mongodb_oplog)
    try:
        return open_database(settings.mongodb_uri, settings.mongodb_directory, purpose, options, share=share)
    except EmbeddedError as error:
        raise CommandFailed(str(error)) from error
