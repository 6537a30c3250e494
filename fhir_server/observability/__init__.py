"""What the service tells its operator: structured logs and metrics, both without personal data.

Neither ever holds a patient's id, a query's values, a body, or a client's name: only what FHIR calls the interaction
and the type, the status, and how long it took.
"""

from fhir_server.observability.logs import configure
from fhir_server.observability.metrics import exposition, restarted, start
from fhir_server.observability.record import record

__all__ = ["configure", "exposition", "record", "restarted", "start"]
