"""Which function performs which interaction: the only place that knows them all."""

from collections.abc import Mapping
from types import MappingProxyType

from fhir_server.interactions.batch import batch
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.create import create
from fhir_server.interactions.delete import delete
from fhir_server.interactions.history_instance import history_instance
from fhir_server.interactions.history_type import history_type
from fhir_server.interactions.patch import patch
from fhir_server.interactions.read import read
from fhir_server.interactions.search import search
from fhir_server.interactions.serving import Handler
from fhir_server.interactions.transaction import transaction
from fhir_server.interactions.update import update
from fhir_server.interactions.vread import vread

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        "batch": batch,
        "capabilities": capabilities,
        "create": create,
        "delete": delete,
        "history-instance": history_instance,
        "history-system": history_type,
        "history-type": history_type,
        "patch": patch,
        "read": read,
        "search-system": search,
        "search-type": search,
        "transaction": transaction,
        "update": update,
        "vread": vread,
    }
)
