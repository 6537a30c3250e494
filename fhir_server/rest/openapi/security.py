"""Who may ask, in the words of the OpenAPI document: where tokens come from, and what is answered without a good one.

https://spec.openapis.org/oas/v3.1.0#security-scheme-object
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

The addresses are relative to the FHIR base, which leads to the issuer: it is the base without its last segment.
"""

from collections.abc import Mapping
from typing import Any, Final

from fhir_server.auth.scopes import CONTEXTS, LETTERS, OTHERS

REQUIRED: Final[tuple[dict[str, list[str]], ...]] = ({"oauth2": []}, {"bearer": []})
"""What every operation needs that does not say otherwise: an access token, however it was got."""

OPEN: Final = "capabilities"
"""The one interaction that needs none: whoever asks what the server is has no token yet."""

REFUSALS: Final = {"401": "unauthenticated", "403": "forbidden"}
"""The statuses of those who are not let in, and the names of their responses."""

_CHALLENGE: Final = {
    "description": "Bearer; what is wrong with the token, or the scope that lacks (RFC 6750) / 認証方式",
    "schema": {"type": "string", "pattern": "^Bearer "},
}
HEADERS: Final = {"WWW-Authenticate": _CHALLENGE}

_HOW: Final = """\
The access token alone, without `Bearer`. A sandbox prints the command that gets one for its integration tester (`tsunagi demo`).

アクセストークンのみを入力してください (`Bearer` は不要)。試験用トークンの取得方法は `tsunagi demo` の起動時に表示されます。
"""
_MEANINGS: Final = {
    "patient": "of the patient who was chosen / 選択した患者",
    "user": "whatever the person may see / 利用者の権限の範囲",
    "system": "whatever the system may see / システムの権限の範囲",
}
_OTHERS: Final = {
    "openid": "an ID token / ID トークン",
    "fhirUser": "who the person is / 利用者",
    "profile": "who the person is / 利用者",
    "launch": "launched from an EHR / 電子カルテからの起動",
    "launch/patient": "a patient is chosen at the login / ログイン時の患者選択",
    "launch/encounter": "the encounter that the EHR names / 受診",
    "offline_access": "a refresh token that outlives the login / ログアウト後も有効な更新トークン",
    "online_access": "a refresh token while the login lasts / ログイン中のみ有効な更新トークン",
}


def schemes() -> dict[str, Any]:
    """Give the security schemes: OAuth 2 of this server, and a token that somebody has already."""
    return {
        "oauth2": {
            "type": "oauth2",
            "description": "SMART App Launch 2.2; a type in the place of `*` asks for less / `*` の代わりに型を指定できます",
            "flows": {
                "clientCredentials": {"tokenUrl": "auth/token", "scopes": _scopes("system")},
                "authorizationCode": {
                    "authorizationUrl": "auth/authorize",
                    "tokenUrl": "auth/token",
                    "refreshUrl": "auth/token",
                    "scopes": {name: _OTHERS[name] for name in sorted(OTHERS)} | _scopes(*(each for each in CONTEXTS if each != "system")),
                },
            },
        },
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": _HOW},
    }


def _scopes(*contexts: str) -> dict[str, str]:
    letters = {LETTERS: "write and read / 書込・参照", "rs": "read and search / 参照・検索"}
    return {f"{context}/*.{some}": f"{says}: {_MEANINGS[context]}" for context in contexts for some, says in letters.items()}


def responses(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Give the responses to those who are not let in; `outcome` is the content of an OperationOutcome."""
    return {
        "unauthenticated": {
            "description": "No access token, or none that is valid / アクセストークンがない、または無効",
            "headers": {"WWW-Authenticate": {**_CHALLENGE, "required": True}},
            "content": outcome,
        },
        "forbidden": {
            "description": "Role or scopes do not permit it; the header names the scope that lacks / 役割またはスコープの不足",
            "headers": {"WWW-Authenticate": {"$ref": "#/components/headers/WWW-Authenticate"}},
            "content": outcome,
        },
    }
