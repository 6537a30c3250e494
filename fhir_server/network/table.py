"""Which function performs which operation of the network: OperationDefinition.id -> performer."""

from collections.abc import Mapping
from types import MappingProxyType

from fhir_server.network.desk import Performer

PERFORMERS: Mapping[str, Performer] = MappingProxyType({})
