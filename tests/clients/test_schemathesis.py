"""Schemathesis asks the server whatever the OpenAPI document allows, and judges every answer by the document.

It comes with the token of the sandbox's tester. Of each operation it asks once without a token and once with a wrong one, too, and has to
be refused (`ignored_auth`).

https://schemathesis.readthedocs.io. TSUNAGI_FUZZ_SECONDS asks longer, and of every resource type (`make fuzz`).
"""

import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.clients import minimal, running, tester
from tests.shared import REPOSITORY

SECONDS = int(os.environ.get("TSUNAGI_FUZZ_SECONDS", "0"))
IN_SHORT = 40
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method", "ignored_auth",
)  # fmt: skip
TAGS = ("instance", "type", "system", "compartment", "operations", "Patient", "Observation", "Encounter", "Binary")
SCHEMATHESIS = Path(sys.executable).with_name("st")


def test_no_answer_is_an_error_of_the_server_or_breaks_the_openapi_document(base, tmp_path):
    headers = tester.authorization(base)
    for type in ("Patient", "Observation", "Encounter"):
        put_example(base, type, headers)
    picture = {**headers, "Content-Type": "image/png"}
    httpx.put(f"{base}/Binary/example", content=b"\x89PNG", headers=picture).raise_for_status()
    chosen = [] if SECONDS else [word for tag in TAGS for word in ("--include-tag", tag)]
    repeatable = [] if SECONDS else ["--generation-deterministic"]
    words = ("--checks", ",".join(CHECKS), "--max-time", str(SECONDS or IN_SHORT), "--continue-on-failure", *chosen, *repeatable)
    run = schemathesis(base, headers["Authorization"], tmp_path, *words, seconds=(SECONDS or IN_SHORT) + 120)
    print(run.stdout[-3000:])
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout


def test_schemathesis_notices_a_server_that_asks_nobody_who_he_is(mongodb_uri, fresh_database_name, tmp_path):
    """So it would notice one that forgot to ask."""
    with running.serve(tmp_path, mongodb_uri, fresh_database_name, authentication="off") as open_to_all:
        put_example(open_to_all, "Patient", {})
        words = ("--checks", "ignored_auth", "--phases", "examples", "--include-operation-id", "read")
        run = schemathesis(open_to_all, "Bearer whatever", tmp_path, *words, seconds=60)
    assert run.returncode == 1
    assert "API accepts requests without authentication" in run.stdout


def put_example(base, type, headers):
    """Store a resource with the id that the document gives as an example."""
    stored = httpx.put(f"{base}/{type}/example", json={**minimal.resource(type), "id": "example"}, headers=headers)
    assert stored.status_code in {200, 201}, stored.text


def schemathesis(base, authorization, directory, *words, seconds):
    document = REPOSITORY / "openapi" / "openapi.json"
    known = ("--url", base, "--header", f"Authorization: {authorization}", "--no-color", "--no-shrink", "--warnings", "off")
    return subprocess.run(
        [SCHEMATHESIS, "run", document, *known, *words], cwd=directory, check=False, capture_output=True, text=True, timeout=seconds
    )
