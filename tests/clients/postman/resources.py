"""Folders about single resources: discover, create, read, update, patch, delete, conditions, history, Binary."""

from tests.clients.postman.examples import META, PATIENT, patient
from tests.clients.postman.writing import check, finds, folder, header, is_a, issue, request

ETAG = 'W\\/"\\d+"'
BORN = {"op": "replace", "path": "/birthDate", "value": "1984-03-03"}
JSON_PATCH = {"Content-Type": "application/json-patch+json"}
FHIRPATH_PATCH = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "replace"},
                {"name": "path", "valueString": "Patient.gender"},
                {"name": "value", "valueCode": "other"},
            ],
        }
    ],
}


def anonymous(**elements):
    return {"resourceType": "Patient", "meta": META, "identifier": [{"system": "urn:tsunagi:postman", "value": "2"}], **elements}


def discover():
    return folder(
        "1 Discover / 機能の確認",
        "What the server can do. サーバーの機能を調べます。",
        request(
            "CapabilityStatement / 機能の一覧",
            "GET",
            "metadata",
            is_a("CapabilityStatement"),
            check("FHIR R4", 'pm.expect(body.fhirVersion).to.eql("4.0.1");', 'pm.expect(body.kind).to.eql("instance");'),
            keep={"statement": 'pm.response.headers.get("ETag")'},
        ),
        request("Not changed since / 変更なし", "GET", "metadata", status=304, headers={"If-None-Match": "{{statement}}"}),
        request("Its normative part / 規範部分", "GET", "metadata?mode=normative", is_a("CapabilityStatement")),
        request("TerminologyCapabilities / 用語の機能", "GET", "metadata?mode=terminology", is_a("TerminologyCapabilities")),
        request("Only the headers / ヘッダーのみ", "HEAD", "metadata"),
    )


def one_resource():
    at = "Patient/{{created}}"
    return folder(
        "2 One resource / 1 件の操作",
        "Create, read, update, patch and delete a Patient, with its versions. 患者を作成・参照・更新・部分変更・削除します。",
        request(
            "Create / 作成",
            "POST",
            "Patient",
            is_a("Patient"),
            header("Location", "\\/Patient\\/[^/]+\\/_history\\/1$"),
            header("ETag", 'W\\/"1"'),
            status=201,
            body=anonymous(name=[{"text": "切手 太郎"}], gender="male", birthDate="1990-01-01"),
            keep={"created": "pm.response.json().id"},
        ),
        request("Read / 参照", "GET", at, is_a("Patient"), header("ETag", ETAG), header("Last-Modified", "GMT$")),
        request("Only the headers of it / ヘッダーのみの参照", "HEAD", at, header("ETag", ETAG)),
        request("Not modified / 変更がなければ本文なし", "GET", at, status=304, headers={"If-None-Match": 'W/"1"'}),
        request(
            "Update with If-Match / 版を指定した更新",
            "PUT",
            at,
            check("version 2", 'pm.expect(body.meta.versionId).to.eql("2");'),
            headers={"If-Match": 'W/"1"'},
            body={**anonymous(name=[{"text": "切手 太郎"}], gender="male", birthDate="1990-01-02"), "id": "{{created}}"},
        ),
        request(
            "Update of an old version / 古い版に対する更新",
            "PUT",
            at,
            issue("conflict"),
            status=412,
            headers={"If-Match": 'W/"1"'},
            body={**anonymous(name=[{"text": "切手 次郎"}]), "id": "{{created}}"},
        ),
        request(
            "Read version 1 / 第 1 版の参照",
            "GET",
            f"{at}/_history/1",
            check("as it was", 'pm.expect(body.birthDate).to.eql("1990-01-01");'),
        ),
        request(
            "JSON Patch / JSON Patch による部分変更",
            "PATCH",
            at,
            check("changed", 'pm.expect(body.birthDate).to.eql("1984-03-03");'),
            headers=JSON_PATCH,
            body=[BORN],
        ),
        request(
            "FHIRPath Patch / FHIRPath Patch による部分変更",
            "PATCH",
            at,
            check("changed", 'pm.expect(body.gender).to.eql("other");'),
            body=FHIRPATH_PATCH,
        ),
        request(
            "Without the answer's body / 応答本文なし",
            "PUT",
            at,
            'pm.test("no body", () => pm.expect(pm.response.text()).to.eql(""));',
            headers={"Prefer": "return=minimal"},
            body={**anonymous(name=[{"text": "切手 三郎"}]), "id": "{{created}}"},
        ),
        request(
            "Answered by an outcome / OperationOutcome で応答",
            "PUT",
            at,
            is_a("OperationOutcome"),
            headers={"Prefer": "return=OperationOutcome"},
            body={**anonymous(name=[{"text": "切手 四郎"}]), "id": "{{created}}"},
        ),
        request("Delete / 削除", "DELETE", at, status=204),
        request("Gone / 削除済み", "GET", at, issue("deleted"), status=410),
        request("Deleted twice / 二度目の削除", "DELETE", at, status=204),
    )


def conditional():
    third = "identifier=urn:tsunagi:postman|3"
    again = patient("conditional", "3", active=True)
    del again["id"]
    return folder(
        "5 Conditional / 条件付き操作",
        "Writes that criteria decide about, instead of an id. 識別子などの条件で対象を決める更新です。",
        request("Nobody has the number / 該当なしにする", "DELETE", f"Patient?{third}", status=(200, 204)),
        request("Create if none exists / なければ作成", "POST", "Patient", status=201, headers={"If-None-Exist": third}, body=again),
        request(
            "Create again: nothing happens / 二度目は作成しない",
            "POST",
            "Patient",
            status=200,
            headers={"If-None-Exist": third},
            body=again,
        ),
        request(
            "Update what is found / 条件付き更新",
            "PUT",
            f"Patient?{third}",
            check("updated", "pm.expect(body.active).to.eql(false);"),
            body={**again, "active": False},
        ),
        request(
            "Patch what is found / 条件付き部分変更",
            "PATCH",
            f"Patient?{third}",
            check("patched", "pm.expect(body.active).to.eql(true);"),
            headers=JSON_PATCH,
            body=[{"op": "replace", "path": "/active", "value": True}],
        ),
        request("Delete what is found / 条件付き削除", "DELETE", f"Patient?{third}", status=(200, 204)),
        request("Nothing is left / 該当なし", "GET", f"Patient?{third}", finds(only=True)),
        request(
            "Criteria that find several / 複数該当",
            "PUT",
            "Observation?_tag=urn:tsunagi:postman|example",
            issue("multiple-matches"),
            status=412,
            body={"resourceType": "Observation", "status": "final", "code": {"text": "x"}},
        ),
    )


def history():
    is_history = check("history", 'pm.expect(body.type).to.eql("history");', "pm.expect(body.entry.length).to.be.above(0);")
    return folder(
        "6 History / 履歴",
        "Every version that was, newest first. すべての版を新しい順に示します。",
        request("Of one resource / 1 件の履歴", "GET", f"{PATIENT}/_history", is_history),
        request("Of a type, two at a time / 型の履歴", "GET", "Observation/_history?_count=2", is_history, keep={"older": _link("next")}),
        request("The next page / 次のページ", "GET", "{{older}}", is_history),
        request("Of everything / 全体の履歴", "GET", "_history?_count=5", is_history),
        request("Since an instant / ある時点以降", "GET", f"{PATIENT}/_history?_since=2020-01-01T00:00:00Z", is_history),
    )


def _link(relation):
    return f'pm.response.json().link.find(l => l.relation === "{relation}").url'


def binary():
    at = "Binary/{{binary}}"
    text = {"Accept": "text/plain"}
    same = 'pm.test("the bytes that were sent", () => pm.expect(pm.response.text()).to.eql("郵便番号 760-0017\\n"));'
    return folder(
        "8 Binary / バイナリ",
        "Content of any media type, as it is or as FHIR JSON. 任意の形式のデータを、そのまま、または FHIR JSON で扱います。",
        request(
            "Store a text / テキストの保存",
            "POST",
            "Binary",
            status=201,
            headers={"Content-Type": "text/plain; charset=utf-8"},
            body="郵便番号 760-0017\n",
            keep={"binary": 'pm.response.headers.get("Location").split("/").slice(-3)[0]'},
        ),
        request("As it is / そのまま", "GET", at, same, headers=text),
        request(
            "As FHIR JSON / FHIR JSON で",
            "GET",
            at,
            is_a("Binary"),
            check("base64", "pm.expect(body.contentType).to.match(/^text\\/plain/);", "pm.expect(body.data).to.be.a('string');"),
            headers={"Accept": "application/fhir+json"},
        ),
        request(
            "A part of it / 一部分",
            "GET",
            at,
            header("Content-Range", "^bytes 0-5\\/\\d+$"),
            status=206,
            headers={**text, "Range": "bytes=0-5"},
        ),
        request("Other content / 内容の差し替え", "PUT", at, headers={"Content-Type": "text/plain"}, body="Kagawa"),
        request("The first version of it / 最初の内容", "GET", f"{at}/_history/1", same, headers=text),
        request("Delete it / 削除 (Binary)", "DELETE", at, status=204),
    )
