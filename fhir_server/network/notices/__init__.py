"""What the network tells facilities by itself: a secure mail inside the network, and a plain e-mail that says only that there is one.

NETWORK.md F035, F061-F065. `tell` files one notice; `communication` makes one for somebody who commits it together with what it is about, and
`post` sees to the e-mail after that.
"""

from fhir_server.network.notices.kinds import Kind
from fhir_server.network.notices.letters import communication
from fhir_server.network.notices.outbox import MAILS, Mail, post
from fhir_server.network.notices.telling import tell

__all__ = ["MAILS", "Kind", "Mail", "communication", "post", "tell"]
