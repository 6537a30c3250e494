"""A Postman collection of a few words a request.

https://schema.postman.com/collection/json/v2.1.0/draft-07/docs/index.html
"""

import json
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
TAG = {"system": "urn:tsunagi:postman", "code": "example"}
BASE = "{{base_url}}"


def request(name, method, address, *checks, status=200, body=None, headers=None, keep=None, auth=None):
    """One request: `address` below the base or a whole variable, `checks` lines of JavaScript that pm.test holds.

    `name` is English / 日本語. `body` is a resource, or text that goes as it is. `keep` leads from a variable to the
    JavaScript that gives its value; `status` may be several. `auth` is another than the collection's, see `bearer`. A body
    of `form` is sent as one.
    """
    headers = dict(headers or {})
    if isinstance(body, dict | list) and "Content-Type" not in headers:
        headers["Content-Type"] = "application/fhir+json"
    asked = {
        "method": method,
        "header": [{"key": key, "value": value} for key, value in headers.items()],
        "url": _url(address),
    }
    if auth is not None:
        asked["auth"] = auth
    if isinstance(body, Form):
        asked["body"] = {"mode": "urlencoded", "urlencoded": [{"key": key, "value": value} for key, value in body.fields.items()]}
    elif body is not None:
        raw = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=1)
        asked["body"] = {"mode": "raw", "raw": raw}
    statuses = [status] if isinstance(status, int) else list(status)
    script = [f'pm.test("{" or ".join(map(str, statuses))}", () => pm.expect(pm.response.code).to.be.oneOf({statuses}));']
    script += [line for each in checks for line in each.splitlines()]
    script += [f"pm.collectionVariables.set({json.dumps(name)}, {value});" for name, value in (keep or {}).items()]
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:tsunagi:postman:{name}")),
        "name": name,
        "event": [{"listen": "test", "script": {"type": "text/javascript", "exec": script}}],
        "request": asked,
        "response": [],
    }


@dataclass(frozen=True)
class Form:
    """The fields of a form."""

    fields: dict


def form(**fields):
    """A body that is a form."""
    return Form(fields)


NOBODY = {"type": "noauth"}


def bearer(token):
    """With this token."""
    return {"type": "bearer", "bearer": [{"key": "token", "value": token, "type": "string"}]}


def basic(client, secret):
    """By the secret of a client."""
    given = {"username": client, "password": secret}
    return {"type": "basic", "basic": [{"key": key, "value": value, "type": "string"} for key, value in given.items()]}


def _url(address):
    if address.startswith("{{"):
        return {"raw": address, "host": [address]}
    path, _, query = address.partition("?")
    url = {"raw": f"{BASE}/{address}", "host": [BASE], "path": path.split("/") if path else [""]}
    if query:
        url["query"] = [{"key": key, "value": value} for key, value in parse_qsl(query.replace("+", "%2B"), keep_blank_values=True)]
    return url


def folder(name, about, *items):
    """Requests under one heading."""
    return {"name": name, "description": about, "item": list(items)}


def check(says, *lines):
    """A named assertion; `body` is the answer's JSON."""
    return f"pm.test({json.dumps(says, ensure_ascii=False)}, () => {{ const body = pm.response.json(); {' '.join(lines)} }});"


def is_a(type):
    """The answer is one resource of this type."""
    return check(f"{type}", f"pm.expect(body.resourceType).to.eql({json.dumps(type)});")


def finds(*references, only=False):
    """The answer is a Bundle with these resources (`Type/id`), and no other if `only`."""
    lines = ["const found = (body.entry || []).filter(e => e.resource).map(e => `${e.resource.resourceType}/${e.resource.id}`);"]
    if only:
        lines.append(f"pm.expect(found).to.have.members({_filled(references)});")
    else:
        lines.append(f"pm.expect(found).to.include.members({_filled(references)});")
    return check(f"finds {', '.join(references) or 'nothing'}", *lines)


def _filled(value):
    """The value as JavaScript; variables in it are filled in when it is run."""
    text = json.dumps(value)
    return f"JSON.parse(pm.variables.replaceIn({json.dumps(text)}))" if "{{" in text else text


def misses(*references):
    """The answer is a Bundle without these resources."""
    lines = ["const found = (body.entry || []).filter(e => e.resource).map(e => `${e.resource.resourceType}/${e.resource.id}`);"]
    return check(
        f"does not find {', '.join(references)}", *lines, *(f"pm.expect(found).to.not.include({_filled(each)});" for each in references)
    )


def issue(code, expression=None):
    """The answer is an OperationOutcome whose first issue has this code."""
    lines = [f"pm.expect(body.issue[0].code).to.eql({json.dumps(code)});"]
    if expression:
        lines.append(f"pm.expect(body.issue[0].expression[0]).to.eql({json.dumps(expression)});")
    return check(f"issue {code}", *lines)


def header(name, pattern):
    """The answer has this header, and it looks so."""
    return f"pm.test({json.dumps(name)}, () => pm.expect(pm.response.headers.get({json.dumps(name)})).to.match(/{pattern}/));"


FETCH = """\
// A token of the client that the environment names, from where the server says; it is asked for again when it has expired.
const base = pm.variables.get("base_url");
const isKept = pm.collectionVariables.get("token_of") === base && Number(pm.collectionVariables.get("token_expires")) > Date.now();
if (!isKept) {
  const credentials = `${pm.variables.get("client_id")}:${pm.variables.get("client_secret")}`;
  pm.sendRequest(`${base}/.well-known/smart-configuration`, (problem, found) => {
    pm.test("where tokens are given / トークンの発行元", () => pm.expect(problem || found.code).to.eql(200));
    pm.sendRequest(
      {
        url: found.json().token_endpoint,
        method: "POST",
        header: { Authorization: `Basic ${btoa(credentials)}`, "Content-Type": "application/x-www-form-urlencoded" },
        body: {
          mode: "urlencoded",
          urlencoded: [
            { key: "grant_type", value: "client_credentials" },
            { key: "scope", value: pm.variables.get("scope") },
          ],
        },
      },
      (refused, answer) => {
        pm.test("a token of the tester / 試験用トークン", () => pm.expect(refused || answer.code).to.eql(200));
        const given = answer.json();
        pm.collectionVariables.set("token", given.access_token);
        pm.collectionVariables.set("token_of", base);
        pm.collectionVariables.set("token_expires", String(Date.now() + (given.expires_in - 60) * 1000));
      },
    );
  });
}
"""

ALWAYS = """\
const address = pm.request.url.toString();
const isFhir = address.startsWith(pm.variables.get("base_url")) && !address.includes("/.well-known/");
const type = pm.response.headers.get("Content-Type") || "";
if (pm.response.code === 401 && pm.request.headers.get("Authorization") === `Bearer ${pm.collectionVariables.get("token")}`) {
  pm.collectionVariables.unset("token_expires"); // the server has begun anew: the next request gets another token
}
if (!isFhir) {
  pm.test("how long it may be kept / キャッシュの指定", () => {
    const isSecret = pm.request.method === "POST";
    pm.expect(pm.response.headers.get("Cache-Control")).to.match(isSecret ? /no-store/ : /./);
  });
} else if (pm.response.code >= 400 && pm.request.method !== "HEAD") {
  pm.test("an OperationOutcome that says what is wrong / エラーの説明", () => {
    const outcome = pm.response.json();
    pm.expect(outcome.resourceType).to.eql("OperationOutcome");
    pm.expect(outcome.issue[0].severity).to.be.oneOf(["error", "fatal"]);
    pm.expect(outcome.issue[0].diagnostics).to.be.a("string");
    pm.expect(outcome.issue[0].expression).to.be.an("array");
  });
} else if (pm.response.text()) {
  pm.test("FHIR JSON, or the bytes that were asked for", () => pm.expect(type).to.match(/^(application\\/fhir\\+json; charset=utf-8|text\\/plain|image\\/png)/));
}
if (isFhir) pm.test("a request id", () => pm.expect(pm.response.headers.get("X-Request-Id")).to.match(/^[0-9a-f-]{16,64}$/));
"""


def collection(name, about, *items):
    """The whole collection."""
    return {
        "info": {"_postman_id": "5f0c7a52-7a31-4f1c-9a52-74737567616e", "name": name, "description": about, "schema": SCHEMA},
        "item": list(items),
        "auth": bearer("{{token}}"),
        "event": [
            {"listen": listen, "script": {"type": "text/javascript", "exec": script.splitlines()}}
            for listen, script in (("prerequest", FETCH), ("test", ALWAYS))
        ],
        "variable": [{"key": "base_url", "value": "http://127.0.0.1:8080/fhir"}, {"key": "scope", "value": "system/*.cruds"}],
    }


def environment(name, base, **values):
    """The environment that says where the server is, and who asks it."""
    secrets = [
        {"key": key, "value": value, "type": "secret" if "secret" in key or key == "password" else "default"}
        for key, value in values.items()
    ]
    return {
        "id": "8d0c2f10-2c0e-4d67-8a6b-74737567616e",
        "name": name,
        "values": [{**each, "enabled": True} for each in ({"key": "base_url", "value": base, "type": "default"}, *secrets)],
        "_postman_variable_scope": "environment",
    }
