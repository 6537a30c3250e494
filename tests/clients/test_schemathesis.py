"""Schemathesis asks the server whatever the OpenAPI document allows, and judges every answer by the document.

https://schemathesis.readthedocs.io. TSUNAGI_FUZZ_SECONDS asks longer, and of every resource type (`make fuzz`).
"""

import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.clients import minimal
from tests.shared import REPOSITORY

SECONDS = int(os.environ.get("TSUNAGI_FUZZ_SECONDS", "0"))
IN_SHORT = 40
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,unsupported_method"
TAGS = ("instance", "type", "system", "compartment", "operations", "Patient", "Observation", "Encounter", "Binary")
SCHEMATHESIS = Path(sys.executable).with_name("st")


def test_no_answer_is_an_error_of_the_server_or_breaks_the_openapi_document(base, tmp_path):
    for type in ("Patient", "Observation", "Encounter"):  # `example` is the id that the document gives as an example
        stored = httpx.put(f"{base}/{type}/example", json={**minimal.resource(type), "id": "example"})
        assert stored.status_code in {200, 201}, stored.text
    httpx.put(f"{base}/Binary/example", content=b"\x89PNG", headers={"Content-Type": "image/png"}).raise_for_status()
    chosen = [] if SECONDS else [word for tag in TAGS for word in ("--include-tag", tag)]
    repeatable = [] if SECONDS else ["--generation-deterministic"]
    run = subprocess.run(
        [
            SCHEMATHESIS, "run", REPOSITORY / "openapi" / "openapi.json", "--url", base, "--checks", CHECKS, "--no-color", "--no-shrink",
            "--max-time", str(SECONDS or IN_SHORT), "--continue-on-failure", "--warnings", "off", *chosen, *repeatable,
        ],
        cwd=tmp_path, check=False, capture_output=True, text=True, timeout=(SECONDS or IN_SHORT) + 120,
    )  # fmt: skip
    print(run.stdout[-3000:])
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout
