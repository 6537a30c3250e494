"""The doors beside the FHIR base: the authorization server, its pages, certificates, administration, the viewer."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI

from fhir_server.authorization.viewer import add_viewer
from fhir_server.settings import Settings

if TYPE_CHECKING:
    from fhir_server.app import Registry


def add_doors(app: FastAPI, settings: Settings, registry: Callable[[], "Registry | None"]) -> None:
    """Add their routes; `registry` gives None before the start."""
    add_viewer(app)
