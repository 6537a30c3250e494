"""Tell a facility something: once, inside the network, and by e-mail that there is something to read."""

from collections.abc import Mapping, Sequence

from fhir_server.network.desk import Desk
from fhir_server.network.notices.kinds import Kind
from fhir_server.network.notices.letters import communication
from fhir_server.network.notices.outbox import post
from fhir_server.store.repository import Changed


async def tell(
    desk: Desk, organization: str, kind: Kind, facts: Mapping[str, str], *, event: str | None = None, about: Sequence[str] = ()
) -> str:
    """File a notice to a facility and give its reference; the same event is told once, however often this is called.

    `event` names what happened ("Task/1"); without it the facts do. Raises KeyError for a fact that the kind's text needs.
    """
    letter = communication(desk, organization, kind, facts, event=event, about=about)
    reference = f"Communication/{letter['id']}"
    try:
        await desk.store(letter, versions={reference: 0})
    except Changed:
        return reference
    await post(desk, [letter])
    return reference
