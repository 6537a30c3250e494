"""The Postman collection: written freshly, about every path of the OpenAPI document, and green when newman runs it twice."""

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from fhir_server.sandbox.people import PASSWORD
from tests.clients import running
from tests.clients.postman.__main__ import documents
from tests.shared import REPOSITORY

NEWMAN = Path(__file__).parent / "newman" / "node_modules" / ".bin" / "newman"
OPENAPI = json.loads((REPOSITORY / "openapi" / "openapi.json").read_text(encoding="utf-8"))
COLLECTION = json.loads(documents()["tsunagi.postman_collection.json"])
TO_GET_A_TOKEN = 2  # where the server gives it, and the token itself: once in a run, for it is kept
TYPED = re.compile(r"/[A-Z][A-Za-z]+$")


def requests(item):
    for each in item["item"]:
        if "item" in each:
            yield from requests(each)
        else:
            yield each


def asked():
    """Give method and path of every request; a link of an answer counts as what it leads to."""
    for each in requests(COLLECTION):
        url = each["request"]["url"]
        if "path" in url:
            yield each["request"]["method"], "/" + "/".join(url["path"])


def pattern(path):
    """The paths that a path of the OpenAPI document stands for."""
    return re.compile(re.sub(r"\\\{(\w+)\\\}", lambda name: _PARTS.get(name[1], "[^/]+"), re.escape(path)))


_PARTS = {
    "type": "[A-Z][A-Za-z]+",
    "compartment": "(?:Patient|Encounter|RelatedPerson|Practitioner|Device)",
    "id": r"(?:[A-Za-z0-9.-]|\{\{\w+\}\})+",
}
DESCRIBED = [(method.upper(), path, pattern(path)) for path, item in OPENAPI["paths"].items() for method in item if method != "parameters"]


@pytest.mark.parametrize("name", documents())
def test_the_document_is_fresh(name):
    """When this fails: `make documents`."""
    assert (REPOSITORY / "openapi" / name).read_text(encoding="utf-8") == documents()[name]


def test_every_request_is_of_a_path_that_the_openapi_document_describes():
    wrong = {"/Patience", "/Patient/a_b", "/metadata", "/Patient/$cure"}  # the errors folder asks what is not there
    known = [
        (method, path)
        for method, path in asked()
        if not any(
            (described == method or (method, described) == ("HEAD", "GET")) and each.fullmatch(path) for described, _, each in DESCRIBED
        )
    ]
    assert {path for _, path in known} <= wrong


def test_every_path_of_the_openapi_document_is_asked():
    requested = {*asked(), ("PATCH", "/Binary/a")}  # as of any type
    left = [
        (method, path)
        for method, path, each in DESCRIBED
        if not TYPED.fullmatch(path)
        and "/$" not in path
        and not any(method == other and each.fullmatch(address) for other, address in requested)
    ]
    assert not left


def test_every_operation_of_the_openapi_document_is_asked():
    requested = {path.rpartition("/")[2] for _, path in asked()}
    described = {path.rpartition("/")[2] for _, path, _ in DESCRIBED if "/$" in path}
    assert described
    assert described <= requested


def test_every_request_has_a_name_of_its_own_and_asserts_something():
    names = [each["name"] for each in requests(COLLECTION)]
    assert len(names) == len(set(names))
    assert all("pm.test" in "".join(each["event"][0]["script"]["exec"]) for each in requests(COLLECTION))


def test_every_request_is_named_in_both_languages():
    assert not [each["name"] for each in requests(COLLECTION) if not re.search(r".+ / .*[ぁ-んァ-ヶ一-龥]", each["name"])]


def test_every_folder_speaks_both_languages():
    for each in COLLECTION["item"]:
        assert re.search(r"[A-Za-z]{3}.* / .*[ぁ-ん一-龥ァ-ヶ]", each["name"])
        assert re.search(r"[ぁ-ん一-龥ァ-ヶ]", each["description"])


def test_s35_the_collection_says_of_each_request_that_asks_otherwise_how_it_does():
    """Whatever is neither a question of who asks, nor the story of many people, comes with the tester's token."""
    otherwise = {each["name"] for each in requests(COLLECTION) if "auth" in each["request"]}
    folders = [each for each in COLLECTION["item"] if each["name"].endswith(("/ 認証", "/ 物語"))]
    assert otherwise <= {each["name"] for folder in folders for each in requests(folder)}
    assert COLLECTION["auth"] == {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]}


def test_no_secret_stands_in_the_collection():
    """They are in the environment, which Postman keeps apart; and they are the sandbox's, which everybody knows."""
    values = {each["key"]: each["value"] for each in json.loads(documents()["tsunagi.postman_environment.json"])["values"]}
    assert values["client_secret"] == "sandbox-secret-of-tester"
    assert values["password"] == PASSWORD
    assert not [each for each in ("sandbox-secret", PASSWORD) if each in documents()["tsunagi.postman_collection.json"]]


def newman(base, report):
    """Run the collection against a server; give what newman reports of it."""
    folder = REPOSITORY / "openapi"
    subprocess.run(
        [
            NEWMAN, "run", folder / "tsunagi.postman_collection.json", "--environment", folder / "tsunagi.postman_environment.json",
            "--env-var", f"base_url={base}", "--reporters", "json", "--reporter-json-export", report, "--timeout", "120000",
        ],
        check=False, capture_output=True, timeout=150,
    )  # fmt: skip
    return json.loads(report.read_text(encoding="utf-8"))["run"]


def asserted(run):
    """Count the assertions by their names; newman tells those of one request again for each that its script sends."""
    executions = {each["cursor"]["ref"]: each for each in run["executions"]}.values()
    return Counter(each["assertion"] for execution in executions for each in execution.get("assertions", ()))


def failures(run):
    return [
        f"{each['parent']['name']} > {each['source']['name']}: {each['error']['test']}: {each['error']['message']}"
        for each in run["failures"]
    ]


def test_newman_runs_the_collection_green_and_then_once_more(tmp_path):
    if not (shutil.which("node") and NEWMAN.exists()):
        says = "The Postman collection needs Node.js with npm: install both, then `make setup-dev`"
        if os.environ.get("CI"):
            pytest.fail(says)
        pytest.skip(says)
    with running.demo(tmp_path) as base:
        for number in (1, 2):
            run = newman(base, tmp_path / f"report-{number}.json")
            assert failures(run) == []
            assert run["stats"]["requests"]["total"] == len(list(requests(COLLECTION))) + TO_GET_A_TOKEN
            assert run["stats"]["assertions"]["total"] > 1100
            counted = asserted(run)
            of_the_issuer = counted["how long it may be kept / キャッシュの指定"]
            assert of_the_issuer > 20
            assert counted["a request id"] == len(list(requests(COLLECTION))) - of_the_issuer
            assert counted["an OperationOutcome that says what is wrong / エラーの説明"] > 30
            assert min(counted["401"], counted["403"]) >= 9
            assert counted["a token of the tester / 試験用トークン"] == 1
