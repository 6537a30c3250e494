"""Why a login or a password is refused, in words for the person who reads it."""

from dataclasses import dataclass

from fhir_server.outcome import FhirError, Issue


class LoginFailed(FhirError):  # noqa: N818 - a state, like TooMany
    """Nobody is let in (401): the same words whether the ID is unknown, locked or disabled, or what was given with it is wrong (L04)."""

    ja = "ユーザーIDまたは入力された内容が正しくないか、現在ご利用いただけません。"
    en = "The user ID or what was entered with it is wrong, or it cannot be used at present."

    def __init__(self) -> None:
        super().__init__(Issue("login", self.en))


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why a password is not accepted."""

    code: str
    ja: str
    en: str


class PasswordRefused(FhirError):  # noqa: N818
    """A new password is not accepted (422); `refusals` say all that is missing, and never repeat it."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__(*(Issue("business-rule", each.en) for each in refusals))
        self.refusals = refusals
