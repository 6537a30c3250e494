"""What changes how a person proves who she is asks for her password, unless she has just given it (L05: a desk that was left)."""

from datetime import timedelta
from typing import Final

from fhir_server.auth.accounts.refusals import LoginFailed
from fhir_server.authorization.pages.visit import Problem, Visit
from fhir_server.authorization.pages.words import Text

_JUST_NOW: Final = timedelta(minutes=5)
_WRONG: Final = Text("現在のパスワードが正しくないか、確認できません。", "Your present password is wrong, or cannot be checked.")


def needed(visit: Visit) -> bool:
    """Tell whether the password is asked for."""
    session, _ = visit.known()
    return visit.now - session.opened > _JUST_NOW


async def failed(visit: Visit) -> Problem | None:
    """Check the password where it is needed; say what is wrong."""
    if not needed(visit):
        return None
    try:
        await visit.login.people.accounts.verify(visit.known()[1].id, visit.form.get("present"))
    except LoginFailed:
        return Problem(_WRONG, "present")
    return None
