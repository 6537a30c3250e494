"""The end of a session, and of what apps may do only as long as it lasts."""

from fastapi import Response

from fhir_server.authorization.pages.account import ended
from fhir_server.authorization.pages.visit import Visit


async def show(visit: Visit) -> Response:
    """Ask whether it is meant: a link alone logs nobody out."""
    return visit.page("logout.html")


async def send(visit: Visit) -> Response:
    """End the session."""
    session, _ = visit.known()
    await visit.login.people.sessions.close(session)
    await visit.login.grants.end_session(session.id)
    return ended(visit)
