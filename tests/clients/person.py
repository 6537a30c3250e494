"""A person at a browser without script, who logs in and allows an app what it asks for."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx

_MOST_PAGES = 12


class _Forms(HTMLParser):
    """The forms of a page: where each goes, its fields, its buttons."""

    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.forms.append({"action": given.get("action", ""), "fields": [], "buttons": []})
        elif self.forms and tag == "input" and "name" in given:
            if given.get("type") not in ("checkbox", "radio") or ("checked" in given and "disabled" not in given):
                self.forms[-1]["fields"].append((given["name"], given.get("value", "")))
        elif self.forms and tag == "button" and "name" in given:
            self.forms[-1]["buttons"].append((given["name"], given.get("value", "")))


def allow(address, login, password, *, facility="", patient=""):
    """Open the address of an authorization request, do what its pages ask for, and give where the app is sent to in the end.

    `facility` begins the choice of a facility ("Organization/1"), `patient` is whom she looks for.
    """
    known = {"login": login, "password": password, "text": patient}
    pressed = {"choice": facility, "choose": "Patient/", "decision": "allow"}
    own = str(httpx.URL(address).copy_with(path="/", query=None))
    with httpx.Client() as browser:
        answer = browser.get(address)
        for _ in range(_MOST_PAGES):
            while answer.is_redirect:
                address = urljoin(str(answer.url), answer.headers["Location"])
                if not address.startswith(own) or "code=" in address or "error=" in address:
                    return address
                answer = browser.get(address)
            assert answer.status_code == 200, answer.text
            form, fields = _filled(answer.text, known, pressed)
            answer = browser.post(urljoin(str(answer.url), form["action"]), data=fields)
    raise AssertionError("the login does not end")


def _filled(page, known, pressed):
    """The form that leads on, and its fields: that with a button to press, else the one with fields to fill."""
    parser = _Forms()
    parser.feed(page)
    for form in parser.forms:
        for name, value in form["buttons"]:
            if name in pressed and value.startswith(pressed[name]):
                return form, _collected([*form["fields"], (name, value)])
    form = next(form for form in parser.forms if known.keys() & dict(form["fields"]).keys())
    return form, _collected([(name, value or known.get(name, "")) for name, value in form["fields"]])


def _collected(fields):
    found = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found
