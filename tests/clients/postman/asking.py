"""The folder about who is asking: where tokens come from, what each is good for, and what is refused.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
https://www.rfc-editor.org/rfc/rfc6750
https://www.rfc-editor.org/rfc/rfc7662 (introspection), https://www.rfc-editor.org/rfc/rfc7009 (revocation)
"""

from fhir_server.auth.roles import ROLE_SYSTEM, Role
from tests.clients.postman.examples import META, OBSERVATIONS, PATIENT, PRACTITIONER, patient
from tests.clients.postman.writing import NOBODY, basic, bearer, check, finds, folder, form, header, is_a, issue, request

TESTER = basic("{{client_id}}", "{{client_secret}}")
UPLOADER = basic("{{uploader_id}}", "{{uploader_secret}}")
EHR = basic("{{ehr_id}}", "{{ehr_secret}}")
ROOT = "{{issuer}}"
MINE = "identifier=urn:tsunagi:postman|1"
ALL = "Observation?_tag=urn:tsunagi:postman|example"
UPLOADED = "pm.response.headers.get('Location').match(/Patient\\/([^/]+)/)[1]"
CONSENT = {
    "resourceType": "Consent",
    "status": "active",
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "patient": {"reference": PATIENT},
    "policyRule": {"text": "自分で自分に許可する"},
}
MEMBER = {
    "resourceType": "PractitionerRole",
    "practitioner": {"reference": PRACTITIONER},
    "code": [{"coding": [{"system": ROLE_SYSTEM, "code": Role.SECRETARIAT.value}]}],
}


def who_asks():
    return folder(
        "10 Who is asking / 認証",
        "Where tokens come from, what each is good for, what is refused. アクセストークンの取得、その権限、拒否される要求を確認します。",
        folder("discovery / 発行元の確認", "Where everything is; no token is needed. 認証なしで参照できます。", *_discovery()),
        folder("no token / トークンなし", "Nothing but what the server is. サーバーの機能以外は参照できません。", *_without()),
        folder("roles / 役割", "A role decides, whatever the scopes say. スコープにかかわらず役割で制限されます。", *_roles()),
        folder("scopes / スコープ", "Who asks for less gets less. 要求した範囲だけが許可されます。", *_scopes()),
        folder("the end of a token / トークンの終了", "What a token is worth, and when it ends. 照会と失効です。", *_ends()),
    )


def fetches(name, client, scope, *checks, keep=None, **more):
    """Ask for a token."""
    body = form(grant_type="client_credentials", scope=scope)
    kept = {keep: "pm.response.json().access_token"} if keep is not None else None
    return request(name, "POST", "{{token_endpoint}}", *checks, body=body, auth=client, keep=kept, **more)


def lacks(scope):
    """The header names the scope that lacks."""
    return header("WWW-Authenticate", f'error="insufficient_scope", scope="{scope}"'.replace("/", "\\/").replace(".", "\\."))


def refused(error, description="."):
    """The answer of the token endpoint is this error."""
    return check(error, f'pm.expect(body.error).to.eql("{error}");', f"pm.expect(body.error_description).to.match(/{description}/);")


def _discovery():
    endpoints = ("issuer", "authorization_endpoint", "token_endpoint", "introspection_endpoint", "revocation_endpoint")
    same = 'pm.expect(body.issuer).to.eql(pm.collectionVariables.get("issuer"));'
    return (
        request(
            "SMART configuration / SMART の設定",
            "GET",
            "{{base_url}}/.well-known/smart-configuration",
            check("S256 only", 'pm.expect(body.code_challenge_methods_supported).to.eql(["S256"]);'),
            check("launches", 'pm.expect(body.capabilities).to.include.members(["launch-ehr", "launch-standalone", "permission-v2"]);'),
            auth=NOBODY,
            keep={name: f"pm.response.json().{name}" for name in endpoints},
        ),
        request(
            "Authorization server metadata / 認可サーバーの情報",
            "GET",
            f"{ROOT}/.well-known/oauth-authorization-server",
            check("the same issuer", same),
            check("systems, too", 'pm.expect(body.grant_types_supported).to.include("client_credentials");'),
            auth=NOBODY,
        ),
        request(
            "OpenID configuration / OpenID の設定",
            "GET",
            f"{ROOT}/.well-known/openid-configuration",
            check("the same issuer", same),
            auth=NOBODY,
            keep={"jwks_uri": "pm.response.json().jwks_uri"},
        ),
        request(
            "Public keys / 公開鍵",
            "GET",
            "{{jwks_uri}}",
            check("no private part", "body.keys.forEach(k => { pm.expect(k.kid).to.be.a('string'); pm.expect(k.d).to.eql(undefined); });"),
            auth=NOBODY,
        ),
    )


def _without():
    login = issue("login")
    return (
        request(
            "What the server is, without a token / トークンなしの機能一覧", "GET", "metadata", is_a("CapabilityStatement"), auth=NOBODY
        ),
        request("A patient without a token / トークンなしの参照", "GET", PATIENT, login, _challenge("realm="), status=401, auth=NOBODY),
        request("A search without a token / トークンなしの検索", "GET", "Patient", login, _challenge("realm="), status=401, auth=NOBODY),
        request(
            "A write without a token / トークンなしの登録",
            "POST",
            "Patient",
            login,
            status=401,
            auth=NOBODY,
            body={"resourceType": "Patient", "meta": META},
        ),
        request("A type that does not exist, without a token / トークンなしの未知の型", "GET", "Patience", login, status=401, auth=NOBODY),
        request(
            "A forged token / 偽のトークン",
            "GET",
            PATIENT,
            login,
            _challenge('error="invalid_token"'),
            status=401,
            auth=bearer("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJ0ZXN0ZXIifQ."),
        ),
        request("No scheme for resources / 使えない認証方式", "GET", PATIENT, login, _challenge("realm="), status=401, auth=TESTER),
        request("A token in the address / アドレス内のトークン", "GET", "Patient?access_token={{token}}", login, status=401, auth=NOBODY),
    )


def _challenge(text):
    return header("WWW-Authenticate", f"^Bearer .*{text}")


def _roles():
    uploader, ehr = bearer("{{token_of_uploader}}"), bearer("{{token_of_ehr}}")
    forbidden = issue("forbidden")
    return (
        fetches("A token of the uploader / アップローダーのトークン", UPLOADER, "system/*.cud", keep="token_of_uploader"),
        request("The uploader cannot read / 参照は不可", "GET", PATIENT, forbidden, status=403, auth=uploader),
        request("The uploader cannot search / 検索は不可", "GET", f"Patient?{MINE}", forbidden, status=403, auth=uploader),
        request("The uploader cannot see the past / 履歴も不可", "GET", f"{PATIENT}/_history", forbidden, status=403, auth=uploader),
        request("The uploader uploads / 登録は可", "POST", "Patient", status=201, auth=uploader, body=_born(), keep={"uploaded": UPLOADED}),
        fetches("A token of the hospital / 電子カルテのトークン", EHR, "system/*.cruds", keep="token_of_ehr"),
        request("The hospital reads / 電子カルテの参照", "GET", "Patient/{{uploaded}}", is_a("Patient"), auth=ehr),
        request("It does not read what is others' / 他者のデータは不可", "GET", PATIENT, issue("not-found"), status=404, auth=ehr),
        request("No consent for oneself / 同意の自己登録は不可", "POST", "Consent", forbidden, status=403, auth=ehr, body=CONSENT),
        request(
            "No membership for oneself / 所属の自己登録は不可", "POST", "PractitionerRole", forbidden, status=403, auth=ehr, body=MEMBER
        ),
        request("No look at the record of accesses / 監査記録は不可", "GET", "AuditEvent", forbidden, status=403, auth=ehr),
    )


def _born():
    return {key: value for key, value in patient("uploaded", "6").items() if key != "id"}


def _scopes():
    reading, granular = bearer("{{token_to_read}}"), bearer("{{token_of_one}}")
    more = check("more than glucose", f"pm.expect(body.entry.length).to.be.above({len(OBSERVATIONS)});")
    glucose = "system/Observation.rs?code=http://loinc.org|2345-7"
    return (
        fetches("Only to read patients / 患者の参照のみ", TESTER, "system/Patient.r", _granted("system/Patient.r"), keep="token_to_read"),
        request("It reads a patient / 患者の参照", "GET", PATIENT, is_a("Patient"), auth=reading),
        request("It searches none / 検索は範囲外", "GET", f"Patient?{MINE}", lacks("system/Patient.s"), status=403, auth=reading),
        request("It reads no result / 検査は範囲外", "GET", OBSERVATIONS[0], lacks("system/Observation.r"), status=403, auth=reading),
        request("It writes nothing / 登録は範囲外", "POST", "Patient", lacks("system/Patient.c"), status=403, auth=reading, body=_born()),
        fetches("Only glucose / 血糖のみ", TESTER, f"system/Patient.rs {glucose}", keep="token_of_one"),
        request("It finds glucose, of all that is there / 血糖のみの検索", "GET", ALL, finds(*OBSERVATIONS, only=True), auth=granular),
        request("Without it there is more / 他の検査もある", "GET", ALL, more),
        fetches("A scope of SMART v1 / SMART v1 の表記", TESTER, "system/Patient.read", _granted("system/Patient.read")),
        fetches(
            "Two spellings at once / 表記の混在", TESTER, "system/Patient.read system/Observation.rs", refused("invalid_scope"), status=400
        ),
        fetches("A type in small letters / 型名の誤り", TESTER, "system/patient.rs", refused("invalid_scope"), status=400),
        fetches("A person's scope / 利用者のスコープ", TESTER, "user/*.rs", refused("invalid_scope"), status=400),
        fetches(
            "A wrong secret / 秘密の誤り",
            basic("{{client_id}}", "wrong"),
            "system/*.rs",
            refused("invalid_client"),
            header("WWW-Authenticate", "^Basic "),
            status=401,
        ),
        fetches("An unknown client / 未知のクライアント", basic("nobody", "wrong"), "system/*.rs", refused("invalid_client"), status=401),
    )


def _granted(scope):
    return check(f"granted {scope}", f'pm.expect(body.scope).to.eql("{scope}");', 'pm.expect(body.token_type).to.eql("Bearer");')


def _ends():
    active = "pm.expect(body.active).to.eql(true);"
    whose = 'pm.expect(body.client_id).to.eql(pm.variables.get("client_id"));'
    nothing = check("nothing else is told", "pm.expect(body).to.eql({active: false});")
    token, mine = form(token="{{token_to_end}}"), bearer("{{token_to_end}}")
    told, ended = "{{introspection_endpoint}}", "{{revocation_endpoint}}"
    return (
        fetches("A token to be ended / 失効させるトークン", TESTER, "system/Patient.rs", keep="token_to_end"),
        request(
            "What it is worth / 照会",
            "POST",
            told,
            check("active", active, whose, 'pm.expect(body.scope).to.eql("system/Patient.rs");'),
            body=token,
            auth=TESTER,
        ),
        request("Nobody else is told / 他者の照会", "POST", told, nothing, body=token, auth=EHR),
        request(
            "Nobody is told without a secret / 認証なしの照会", "POST", told, refused("invalid_client"), status=400, body=token, auth=NOBODY
        ),
        request("Nobody else ends it / 他者による失効", "POST", ended, body=token, auth=EHR),
        request("It is good still / 引き続き有効", "GET", PATIENT, is_a("Patient"), auth=mine),
        request("Its client ends it / 失効", "POST", ended, body=token, auth=TESTER),
        request(
            "It is good for nothing / 失効後の参照", "GET", PATIENT, issue("login"), _challenge("invalid_token"), status=401, auth=mine
        ),
        request("It is worth nothing / 失効後の照会", "POST", told, nothing, body=token, auth=TESTER),
        request("The others go on / 他のトークンは有効", "GET", PATIENT, is_a("Patient")),
    )
