"""Writes openapi/tsunagi.postman_collection.json and its environment: `python -m tests.clients.postman`."""

import json
from pathlib import Path

from fhir_server.sandbox.people import PASSWORD, TESTER, secret_of
from tests.clients.postman import asking, exchanging, resources
from tests.clients.postman.searching import searching
from tests.clients.postman.story import story
from tests.clients.postman.writing import collection, environment

FOLDER = Path(__file__).resolve().parents[3] / "openapi"
NAME = "Tsunagi FHIR R4"
ABOUT = (
    "Start `tsunagi demo`, import this collection and its environment, and run it from above: everything is green, as often as you like. "
    "It gets its own token, as the client that the environment names.\n\n"
    "`tsunagi demo` を起動し、コレクションと環境を取り込んで上から順に実行してください。何度実行してもすべて成功します。"
    "アクセストークンは、環境で指定したクライアントとして自動的に取得します。"
)
CLIENTS = {
    "client_id": TESTER,
    "client_secret": secret_of(TESTER),
    "uploader_id": "uploader-b",
    "uploader_secret": secret_of("uploader-b"),
    "ehr_id": "ehr-b",
    "ehr_secret": secret_of("ehr-b"),
    "uploader_a_secret": secret_of("uploader-a"),
    "uploader_c_secret": secret_of("uploader-c"),
    "password": PASSWORD,
}
"""Clients of the sandbox, and of no other server: everybody knows their secrets."""


def documents():
    """Give the files by their names."""
    whole = collection(
        NAME,
        ABOUT,
        exchanging.prepare(),
        resources.discover(),
        resources.one_resource(),
        searching(),
        exchanging.bundles(),
        resources.conditional(),
        resources.history(),
        exchanging.operations(),
        resources.binary(),
        exchanging.errors(),
        asking.who_asks(),
        story(),
        exchanging.clear(),
    )
    made = {
        "tsunagi.postman_collection.json": whole,
        "tsunagi.postman_environment.json": environment("Tsunagi demo", "http://127.0.0.1:8080/fhir", **CLIENTS),
    }
    return {name: json.dumps(each, ensure_ascii=False, indent=1) + "\n" for name, each in made.items()}


if __name__ == "__main__":
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
