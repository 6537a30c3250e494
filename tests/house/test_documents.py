"""The documents say what is so."""

import hashlib
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from fhir_server.__main__ import _parser
from fhir_server.settings import Settings, load, markdown
from tests.access.leaks.document import DOCUMENT as CONSENT_MATRIX
from tests.access.leaks.document import document, unproved
from tests.shared import REPOSITORY

DECISIONS = sorted((REPOSITORY / "docs/decisions").glob("*.md"))
GUIDES = sorted((REPOSITORY / "docs").glob("*.md"))
DOCUMENTS = [*sorted(REPOSITORY.glob("*.md")), *GUIDES, *DECISIONS, *sorted((REPOSITORY / "openapi").glob("*.md"))]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("path", DECISIONS, ids=name)
def test_a_decision_is_numbered_short_and_says_what_was_rejected(path):
    text = path.read_text(encoding="utf-8")
    number = re.match(r"(\d{4})-[a-z0-9-]+\.md", path.name)
    assert number
    assert re.match(rf"# (?:ADR )?{number[1]}\b", text)
    assert len(text.splitlines()) <= 50
    assert re.search(r"alternative|rejected|instead of|compared", text, re.IGNORECASE)


def test_no_two_decisions_share_a_number():
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(numbers) == len(set(numbers))


def test_the_settings_are_documented_as_they_are():
    assert (REPOSITORY / "docs/settings.md").read_text(encoding="utf-8") == markdown(), "make documents"


def test_the_rules_of_who_sees_what_are_documented_with_the_tests_that_prove_them():
    assert not unproved(), "rules whose number no test bears in its name"
    assert CONSENT_MATRIX.read_text(encoding="utf-8") == document(), "make documents"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name)
def test_every_link_into_the_repository_leads_somewhere(path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", path.read_text(encoding="utf-8"))
    assert not [link for link in links if not (path.parent / link).exists()]


def test_every_setting_that_the_readme_names_exists():
    named = {setting.lower() for setting in re.findall(r"\bTSUNAGI_([A-Z_]+)", README)} - {"config"}
    assert "mongodb_uri" in named
    assert named <= set(Settings.__struct_fields__)


def test_every_command_that_the_readme_shows_is_understood():
    shown = re.findall(r"^(?:\.venv/bin/)tsunagi (.+)$", README, re.MULTILINE)
    assert shown
    for command in shown:
        words = shlex.split(command, comments=True)
        assert _parser(words).parse_args(words)


def test_every_command_that_a_guide_shows_is_understood():
    shown = [
        each
        for path in GUIDES
        for each in re.findall(r"^    (?:\.venv/bin/)?tsunagi (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    shown += re.findall(r"`tsunagi ([a-z]+ [a-z]+ [^`…|]+)`", (REPOSITORY / "docs/security.md").read_text(encoding="utf-8"))
    assert any(each.startswith("key withdraw") for each in shown)
    for command in shown:
        words = shlex.split(command, comments=True)
        assert _parser(words).parse_args(words)


def test_the_settings_that_the_security_guide_shows_can_be_used_together(tmp_path, monkeypatch):
    text = (REPOSITORY / "docs/security.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    ([a-z_]+ = .+)$", text, re.MULTILINE)
    assert len(lines) >= 12
    (tmp_path / "tsunagi.toml").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load({}).admin_port == 8444


def test_the_requests_of_the_readme_go_to_the_default_address():
    addresses = re.findall(r"https?://127\.0\.0\.1:\d+/fhir\b", README)
    assert addresses
    assert set(addresses) == {Settings().base}


def test_the_readme_tells_the_measured_figures():
    measured = README.partition("## Measured")[2].partition("\n## ")[0]
    assert "p99 ms" in measured
    assert "floor" in measured


def test_the_readme_speaks_japanese_too():
    assert re.search(r"^## .*日本語", README, re.MULTILINE)


def test_the_changelog_knows_this_version():
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    changes = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[(?:{re.escape(version)}|Unreleased)\]", changes, re.MULTILINE)


def test_the_licence_is_the_apache_licence_word_for_word():
    digest = hashlib.sha256((REPOSITORY / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


def test_the_openapi_folder_is_explained():
    assert (REPOSITORY / "openapi/README.md").is_file()
