"""People who log in, as a browser would: the page of the login, the login, what the app is allowed, and the token.

https://www.rfc-editor.org/rfc/rfc7636 (its Appendix B gives verifier and challenge: a collection has no secret to keep)
"""

from fhir_server.sandbox.people import CALLBACK, POSTMAN
from tests.clients.postman.writing import NOBODY, check, folder, form, request

VERIFIER, CHALLENGE = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
OF_STAFF, OF_PATIENTS = "openid fhirUser offline_access user/*.cruds", "openid fhirUser offline_access patient/*.cruds"
WHO = {
    "a2": ("the doctor of clinic A", "診療所Ａの医師"),
    "b1": ("the doctor of hospital B", "病院Ｂの医師"),
    "d1": ("the doctor of hospital D", "病院Ｄの医師"),
    "s1": ("a secretary", "事務局"),
    "s2": ("another secretary", "事務局 (2 人目)"),
    "q1": ("a patient", "患者"),
}


def people():
    """Everybody of the story logs in, each in four steps."""
    steps = [step for login in WHO for step in _logged_in(login)]
    about = "As a browser does it; offline_access lets the tokens outlive the next login. ブラウザと同じ手順でログインします。"
    return folder("people log in / ログイン", about, *steps)


def _logged_in(login):
    english, japanese = WHO[login]
    scope = (OF_PATIENTS if login == "q1" else OF_STAFF).replace(" ", "%20").replace("/", "%2F")
    asked = f"response_type=code&client_id={POSTMAN}&redirect_uri={CALLBACK}&scope={scope}&state={login}&prompt=login"
    address = f"{{{{authorization_endpoint}}}}?{asked}&aud={{{{base_url}}}}&code_challenge={CHALLENGE}&code_challenge_method=S256"
    code = 'pm.response.headers.get("Location").match(/[?&]code=([^&]+)/)[1]'
    allowed = request(
        f"Allowed by {english} / {japanese}: 許可",
        "POST",
        "{{form_action}}",
        body="{{form_fields}}&decision=allow",
        headers=FORM,
        status=(302, 303),
        auth=NOBODY,
        keep={"code": code},
    )
    granted = form(grant_type="authorization_code", code="{{code}}", redirect_uri=CALLBACK, client_id=POSTMAN, code_verifier=VERIFIER)
    return (
        request(f"The login page for {english} / {japanese}: ログイン画面", "GET", address, _form("login"), auth=NOBODY),
        request(
            f"The login of {english} / {japanese}: ログイン",
            "POST",
            "{{form_action}}",
            _form("decision"),
            body=f"{{{{form_fields}}}}&login={login}&password={{{{password}}}}",
            headers=FORM,
            auth=NOBODY,
        ),
        {**allowed, "protocolProfileBehavior": {"followRedirects": False}},
        request(
            f"A token for {english} / {japanese}: トークン",
            "POST",
            "{{token_endpoint}}",
            check("a token of a person", 'pm.expect(body.token_type).to.eql("Bearer");'),
            body=granted,
            auth=NOBODY,
            keep={login: "pm.response.json().access_token"},
        ),
    )


def _form(mark):
    """Find the form with this field or button, where it goes, and what it holds already."""
    return f"""\
const plain = (text) => text.replace(/&#(\\d+);/g, (_, code) => String.fromCharCode(code)).replace(/&amp;/g, "&");
const all = pm.response.text().split("<form").slice(1).map((each) => each.split("</form>")[0]);
const found = all.find((each) => each.includes('name="{mark}"'));
pm.test("a form of {mark}", () => pm.expect(found).to.be.a("string"));
const value = (tag, name) => (tag.match(new RegExp(` ${{name}}="([^"]*)"`)) || [])[1];
const inputs = (found.match(/<input[^>]*>/g) || []).filter((tag) => !["login", "password"].includes(value(tag, "name")) && !tag.includes("disabled"));
const fields = inputs.map((tag) => `${{value(tag, "name")}}=${{encodeURIComponent(plain(value(tag, "value") || ""))}}`);
pm.collectionVariables.set("form_fields", fields.join("&"));
pm.collectionVariables.set("form_action", pm.collectionVariables.get("issuer").match(/^https?:\\/\\/[^/]+/)[0] + plain(value(found, "action")));"""
