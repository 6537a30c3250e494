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

from tests.clients import minimal, tester
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
    for type in ("Patient", "Observation", "Encounter"):  # `example` is the id that the document gives as an example
        stored = httpx.put(f"{base}/{type}/example", json={**minimal.resource(type), "id": "example"}, headers=headers)
        assert stored.status_code in {200, 201}, stored.text
    picture = {**headers, "Content-Type": "image/png"}
    httpx.put(f"{base}/Binary/example", content=b"\x89PNG", headers=picture).raise_for_status()
    words = [word for name, value in headers.items() for word in ("--header", f"{name}: {value}")]
    chosen = [] if SECONDS else [word for tag in TAGS for word in ("--include-tag", tag)]
    repeatable = [] if SECONDS else ["--generation-deterministic"]
    run = subprocess.run(
        [
            SCHEMATHESIS, "run", REPOSITORY / "openapi" / "openapi.json", "--url", base, "--checks", ",".join(CHECKS), "--no-color", "--no-shrink",
            "--max-time", str(SECONDS or IN_SHORT), "--continue-on-failure", "--warnings", "off", *words, *chosen, *repeatable,
        ],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=(SECONDS or IN_SHORT) + 120,
    )  # fmt: skip
    print(run.stdout[-3000:])
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout
