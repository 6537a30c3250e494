"""A narrative formats and does nothing else (S45)."""

import time

import pytest

from profiles.narrative import harmless

NS = 'xmlns="http://www.w3.org/1999/xhtml"'


@pytest.mark.parametrize(
    "inner",
    [
        "佐藤 花子",
        '<p style="color: red">a<br/>b</p>',
        "<table><tr><td colspan='2'>1 &lt; 2</td></tr></table>",
        '<a href="https://example.org/a?b=c">x</a>',
        '<a href="#part" name="x">x</a>',
        '<img src="data:image/png;base64,AAAA" alt="x"/>',
        "<!-- a plain comment -->",
        "&nbsp;&amp;&#169;",
    ],
)
def test_formatting_is_harmless(inner):
    assert harmless(f"<div {NS}>{inner}</div>")


@pytest.mark.parametrize(
    "inner",
    [
        "<script>alert(1)</script>",
        "<SCRIPT>alert(1)</SCRIPT>",
        "<p onclick='alert(1)'>x</p>",
        '<img src="x" onerror="alert(1)"/>',
        "<img src=x onerror=alert(1)>",
        "<img/onerror='x'/src='y'>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="  JaVaScRiPt:alert(1)">x</a>',
        '<a href="&#106;avascript:alert(1)">x</a>',
        '<a href="java&#10;script:alert(1)">x</a>',
        '<a href="data:text/html,x">x</a>',
        "<iframe src='https://example.org'></iframe>",
        "<form action='x'><input/></form>",
        "<style>p{}</style>",
        "<svg/onload=alert(1)>",
        "<!--> <script>alert(1)</script> -->",
        "<!-- --!> <script>alert(1)</script> -->",
        "<!-- never ends",
        "<![CDATA[<script>]]>",
        "<?xml-stylesheet href='x'?>",
        "<!DOCTYPE html>",
        "<p",
        "1 < 2",
    ],
)
def test_what_could_run_or_frame_is_not(inner):
    assert not harmless(f"<div {NS}>{inner}</div>")


@pytest.mark.parametrize("text", ["", "text", "<p>no div</p>", "<divx>a</divx>", "&lt;div&gt;"])
def test_a_narrative_is_one_div(text):
    assert not harmless(text)


@pytest.mark.parametrize("piece", ["<!--", "<a ", "<a b=", "<", "<p>", "<a href='", "<div ", "-->", "<a" + " " * 50])
def test_a_megabyte_of_anything_is_judged_in_time_that_grows_with_its_length(piece):
    started = time.monotonic()
    harmless("<div>" + piece * (1_000_000 // len(piece)))
    assert time.monotonic() - started < 5
