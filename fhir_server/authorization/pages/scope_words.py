"""What an app asks for, in words: one line for each kind of data, and what is not about data.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fhir_server.auth.scopes import LETTERS, ResourceScope, Scopes
from fhir_server.authorization.pages.resource_words import kind_of_data
from fhir_server.authorization.pages.words import Text

_LETTERS: Final = {
    "c": Text("新しく作る", "create"),
    "r": Text("見る", "read"),
    "u": Text("書きかえる", "change"),
    "d": Text("消す", "delete"),
    "s": Text("探す", "search"),
}
_CONTEXTS: Final = {
    "patient": Text("選んだ患者の診療情報", "Data of the chosen patient"),
    "user": Text("あなたが利用できる診療情報", "Data that you have access to"),
    "system": Text("システムの情報", "Data of the system"),
}
_OTHERS: Final = {
    "openid": Text("あなたが誰かを知る（ログインID）", "Know who you are (your login ID)"),
    "fhirUser": Text("あなたの氏名と職種の登録情報を知る", "Know how you are registered (name and profession)"),
    "profile": Text("あなたの氏名と職種の登録情報を知る", "Know how you are registered (name and profession)"),
    "launch": Text("電子カルテで開いている患者を知る", "Know which patient is open in the EHR"),
    "launch/patient": Text("どの患者についてかを知る", "Know which patient this is about"),
    "launch/encounter": Text("どの受診についてかを知る", "Know which visit this is about"),
    "offline_access": Text(
        "ログアウトした後も、取り消されるまで利用しつづける",
        "Go on after you have logged out, until this is revoked",
    ),
    "online_access": Text("ログインしている間、利用しつづける", "Go on as long as you are logged in"),
}
REQUIRED: Final = frozenset({"openid", "launch", "launch/patient", "launch/encounter"})
"""What an app cannot work without: the person refuses the whole instead."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing an app asks for. `scope` is how it is written, `writes` warns that data can be changed."""

    scope: str
    what: Text
    detail: Text
    required: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The lines that belong together."""

    title: Text
    lines: tuple[Line, ...]


def in_words(scopes: Scopes) -> list[Group]:
    """Say what these scopes allow, data first, in groups."""
    spelled = dict(zip(scopes.resources, spelling(scopes), strict=True))
    groups = [
        Group(title, tuple(_line(each, spelled[each]) for each in scopes.resources if each.context == context))
        for context, title in _CONTEXTS.items()
    ]
    others = tuple(Line(each, _OTHERS[each], Text("", ""), required=each in REQUIRED) for each in _OTHERS if each in scopes.others)
    return [group for group in (*groups, Group(Text("あなたとログインについて", "You and your login"), others)) if group.lines]


def spelling(scopes: Scopes) -> list[str]:
    """Write each scope for resources as the request did, of SMART v1 or v2."""
    return [str(Scopes((each,), version=scopes.version)) for each in scopes.resources]


def left(scopes: Scopes, kept: Iterable[str]) -> str:
    """Give what the person leaves of the scopes: those she kept, and those that cannot be taken out one by one."""
    wanted = set(kept)
    resources = [each for each in spelling(scopes) if each in wanted]
    return " ".join([*sorted(each for each in scopes.others if each in wanted or each in REQUIRED), *resources])


def _line(scope: ResourceScope, spelled: str) -> Line:
    actions = [_LETTERS[letter] for letter in LETTERS if letter in scope.letters]
    what = kind_of_data(scope.type)
    return Line(
        spelled,
        Text(f"{what.ja}を{_joined(actions, 'ja')}", f"{_capital(_joined(actions, 'en'))} {what.en}"),
        _limits(scope.parameters),
        writes=any(letter in scope.letters for letter in "cud"),
    )


def _joined(actions: Sequence[Text], language: str) -> str:
    if language == "ja":
        return "・".join(each.ja for each in actions)
    words = [each.en for each in actions]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _limits(parameters: Sequence[tuple[str, str]]) -> Text:
    if not parameters:
        return Text("", "")
    written = ", ".join(f"{name} = {value.rpartition('|')[2]}" for name, value in parameters)
    return Text(f"次に限ります：{written}", f"Only where {written}")


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
