"""The viewer's files: what they may load, where they may be served, and that nothing in them names another machine."""

import hashlib
import re
from urllib.parse import urljoin

import httpx
import pytest
from fastapi import FastAPI

from fhir_server.authorization import viewer
from tests.shared import REPOSITORY

ROOT = "http://tsunagi.example"
FOLDER = REPOSITORY / "fhir_server" / "authorization" / "viewer_app"
PAGES = ("index.html", "launch.html")
OWN = sorted(path for path in FOLDER.iterdir() if path.is_file())
SCRIPTS = [path for path in OWN if path.suffix == ".js"]
# Names, not addresses: nothing is ever fetched from them.
NAMES = (
    "http://www.w3.org/2000/svg",
    "http://jpfhir.jp/",
    "http:\\/\\/jpfhir\\.jp\\/",
    "http://hl7.org/fhir/",
    "http://medis.or.jp/",
    "https://hl7.org/fhir/",
)


def name(path):
    return path.name


@pytest.fixture
async def browser():
    app = FastAPI(openapi_url=None)
    viewer.add_viewer(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ROOT) as client:
        yield client


@pytest.mark.parametrize("page", ["", *PAGES])
async def test_a_page_refers_only_to_files_beside_it(browser, page):
    answer = await browser.get(f"/viewer/{page}")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    addresses = [each for each in re.findall(r'(?:href|src)="([^"]+)"', answer.text) if each != "data:,"]
    assert "style.css" in addresses
    for address in addresses:
        assert re.fullmatch(r"[a-z.-]+", address), "relative, so that a proxy may put all of it below a path of its own"
        assert (await browser.get(f"/viewer/{address}")).status_code == 200


async def test_the_policy_allows_files_of_this_server_only_and_no_script_in_a_page(browser):
    for page in ("", *PAGES, "no-such-page"):
        policy = (await browser.get(f"/viewer/{page}")).headers["Content-Security-Policy"]
        directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
        assert directives["default-src"] == "'none'"
        assert directives["script-src"] == directives["style-src"] == directives["connect-src"] == "'self'"
        assert directives["frame-ancestors"] == directives["base-uri"] == "'none'"
        assert not re.search(r"unsafe|https?:|\*", policy)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_holds_no_script_and_no_style_of_its_own(page):
    text = (FOLDER / page).read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*>(.*?)</script>", text) == ["", ""]
    assert not re.search(r"<style|style=|\son[a-z]+=|javascript:", text)


@pytest.mark.parametrize("path", OWN, ids=name)
def test_no_file_names_another_host(path):
    text = path.read_text(encoding="utf-8")
    found = [each for each in re.findall(r"https?:[/\\]+[^\s\"'`]*", text) if not each.startswith(NAMES)]
    assert not found
    assert not re.search(r"url\(|@import", text)


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_no_script_reads_text_as_html_or_as_code(path):
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|localStorage\.(?!getItem|setItem)", path.read_text()
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_imports_only_what_is_served(path):
    imported = re.findall(r'^(?:import|export) .*?from "([^"]+)";$', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert all(each.startswith("./") and (FOLDER / each).is_file() for each in imported)


def test_every_word_is_said_in_both_languages_and_every_word_said_is_known():
    words = (FOLDER / "words.js").read_text(encoding="utf-8")
    entries = re.findall(r'^  "?([\w.-]+)"?: \["((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\],$', words, re.MULTILINE)
    lines = [line for line in words.splitlines() if line.startswith("  ") and not line.strip().startswith("//")]
    assert len(entries) == len(lines), "one line each, Japanese then English"
    for word, ja, en in entries:
        assert sorted(re.findall(r"\{\d\}", ja)) == sorted(re.findall(r"\{\d\}", en)), word
        assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", en) or word == "language.other", word
    said = {word for path in SCRIPTS for word in re.findall(r'\bsay\(\s*"([\w.]+)"', path.read_text(encoding="utf-8"))}
    assert said <= {word for word, _, _ in entries}


@pytest.mark.parametrize("address", ["app.js", viewer.LIBRARY, "style.css"])
async def test_a_file_is_sent_packed_and_only_once(browser, address):
    packed = await browser.get(f"/viewer/{address}", headers={"Accept-Encoding": "gzip"})
    plain = await browser.get(f"/viewer/{address}", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.content == plain.content
    again = await browser.get(f"/viewer/{address}", headers={"If-None-Match": packed.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_entrance_leads_to_the_launch_page_wherever_it_is(browser):
    answer = await browser.get("/viewer")
    assert (answer.status_code, answer.headers["Location"]) == (307, "viewer/launch.html")


async def test_everything_works_below_a_path_of_its_own():
    """A proxy may give the server a path; then the pages' addresses begin there."""
    app, inner = FastAPI(openapi_url=None), FastAPI(openapi_url=None)
    viewer.add_viewer(inner)
    app.mount("/hospital/tsunagi", inner)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ROOT, follow_redirects=True) as client:
        page = await client.get("/hospital/tsunagi/viewer")
        assert page.url == f"{ROOT}/hospital/tsunagi/viewer/launch.html"
        for address in re.findall(r'(?:href|src)="([^":]+)"', page.text):
            assert (await client.get(urljoin(str(page.url), address))).status_code == 200
    roots = [
        each for path in SCRIPTS for each in re.findall(r'(?:href|action|src): "(/[^"]*)"|fetch\(["`]/', path.read_text(encoding="utf-8"))
    ]
    assert roots == []


@pytest.mark.parametrize(
    "path",
    [
        "../viewer.py",
        "..%2fviewer.py",
        "%2e%2e/%2e%2e/pyproject.toml",
        "/etc/passwd",
        "app.js%00",
        "README.md",
        "SHA256SUMS",
        "viewer_app/app.js",
    ],
)
async def test_s46_no_path_leads_out_of_the_files(browser, path):
    assert (await browser.get(f"/viewer/{path}")).status_code == 404


def test_the_library_is_what_its_publisher_gave_out():
    folder = FOLDER.with_name("viewer_fhirclient")
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {file: digest for digest, file in (line.split(maxsplit=1) for line in lines)}
    assert sums.keys() == {path.name for path in folder.iterdir()} - {"README.md", "SHA256SUMS"}
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sums} == sums


def test_the_addresses_to_register_follow_the_server():
    assert viewer.redirect_uri("https://a.example/tsunagi") == "https://a.example/tsunagi/viewer/"
    assert viewer.launch_uri("https://a.example/tsunagi") == "https://a.example/tsunagi/viewer/launch.html"
