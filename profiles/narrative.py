"""Rules txt-1 and txt-2: a narrative holds only formatting, so that whoever shows it runs nothing of its sender's, and some of it.

https://hl7.org/fhir/R4/narrative.html#xhtml

The elements and attributes are those of the constraint txt-1. Judged is what a browser would see: tags, attributes and
where links lead. That tags close in their order is left to whoever shows them.
"""

import html
import re

_ELEMENTS = (
    "a abbr acronym b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre q "
    "samp small span strong sub sup table tbody td tfoot th thead tr tt ul var"
)
_ATTRIBUTES = (
    "abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff charset cite class "
    "colspan compact coords dir frame headers height href hreflang hspace id lang longdesc name nowrap rel rev rowspan rules scope "
    "shape span src start style summary tabindex title type valign value vspace width xml:lang xmlns"
)
_ALLOWED_ELEMENTS = frozenset(_ELEMENTS.split())
_ALLOWED_ATTRIBUTES = frozenset(_ATTRIBUTES.split())
_LINKS = frozenset(("cite", "href", "longdesc", "src"))
_SCHEMES = frozenset(("cid", "ftp", "http", "https", "mailto", "tel", "urn"))

_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)((?:\s+[A-Za-z:\-]+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*/?>")
_ATTRIBUTE = re.compile(r"([A-Za-z:\-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_INVISIBLE = re.compile(r"[\x00-\x20\x7f]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_CONTENT = re.compile(r">[^<]*[^<\s]|<img\b")
_DIV = re.compile(r"\s*<div[\s>/]")


def harmless(text: str) -> bool:
    """Tell whether XHTML is one div of formatting, without scripts, forms, frames, event handlers or links to code."""
    uncommented = _without_comments(text)
    if uncommented is None or _DIV.match(text) is None:
        return False
    tags = _TAG.findall(uncommented)
    if len(tags) != uncommented.count("<"):
        return False
    return all(name in _ALLOWED_ELEMENTS and (not attributes or _attributes(attributes)) for name, attributes in set(tags))


def has_content(text: str) -> bool:
    """txt-2: tell whether there is anything to read or to see in XHTML."""
    return _CONTENT.search(text) is not None


def _without_comments(text: str) -> str | None:
    """Drop comments; None where one is not plain, since browsers end `<!-->` and `--!>` sooner than XML does."""
    first, *rest = text.split("<!--")
    kept = [first]
    for part in rest:
        comment, end, after = part.partition("-->")
        if not end or any(mark in comment for mark in ("<", ">", "--")):
            return None
        kept.append(after)
    return "".join(kept)


def _attributes(text: str) -> bool:
    for attribute in _ATTRIBUTE.finditer(text):
        name = attribute[1]
        if name not in _ALLOWED_ATTRIBUTES:
            return False
        if name in _LINKS and not _leads_to_no_code(attribute[2] or attribute[3] or ""):
            return False
    return True


def _leads_to_no_code(link: str) -> bool:
    """Judge a link as a browser reads it: entities resolved, invisible characters dropped."""
    address = _INVISIBLE.sub("", html.unescape(link))
    scheme = _SCHEME.match(address)
    return scheme is None or scheme[1].lower() in _SCHEMES or address.lower().startswith("data:image/")
