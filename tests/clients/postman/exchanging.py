"""Folders about Bundles, operations and errors, and those that bring the resources along and take them away."""

from tests.clients.postman.examples import META, OBSERVATIONS, PATIENT, bring_along, bundle, delete, parameters, patient, put
from tests.clients.postman.writing import check, finds, folder, header, is_a, issue, request

NEW_PATIENT = "urn:uuid:5d3a4a9c-6a0a-4b8e-9d3f-1f3f0d6f7a01"
TAGGED = "_tag=urn:tsunagi:postman|example"


def prepare():
    resources = bring_along()
    return folder(
        "0 Prepare / 準備",
        "The resources of this collection, put in one transaction under ids of their own. このコレクションで使うリソースを登録します。",
        request(
            "Put what is needed / 登録",
            "POST",
            "",
            check("all stored", f"pm.expect(body.entry.length).to.eql({len(resources)});"),
            body=bundle("transaction", *map(put, resources)),
        ),
    )


def clear():
    references = [f"{each['resourceType']}/{each['id']}" for each in reversed(bring_along())]
    return folder(
        "12 Clear up / 後片付け",
        "What this collection made is deleted; run it again as often as you like. 登録したリソースを削除します。何度でも実行できます。",
        request("Delete what was put / 削除 (まとめて)", "POST", "", is_a("Bundle"), body=bundle("transaction", *map(delete, references))),
        request("Patients that were created / 作成した患者の削除", "DELETE", f"Patient?{TAGGED}", status=(200, 204)),
        request("Results that were created / 作成した検査の削除", "DELETE", f"Observation?{TAGGED}", status=(200, 204)),
        request("Nothing is left / 残りなし", "GET", f"?_type=Patient,Observation&{TAGGED}", finds(only=True)),
    )


def bundles():
    wrong = {"resourceType": "Patient", "gender": "unknowable"}
    born = {
        "resourceType": "Patient",
        "meta": META,
        "identifier": [{"system": "urn:tsunagi:postman", "value": "4"}],
        "name": [{"text": "速達 五郎"}],
    }
    measured = {
        "resourceType": "Observation",
        "meta": META,
        "status": "final",
        "code": {"text": "体重"},
        "subject": {"reference": NEW_PATIENT},
    }
    create = [
        {"fullUrl": NEW_PATIENT, "resource": born, "request": {"method": "POST", "url": "Patient"}},
        {"resource": measured, "request": {"method": "POST", "url": "Observation"}},
    ]
    failing = [create[0], {"resource": wrong, "request": {"method": "POST", "url": "Patient"}}]
    return folder(
        "4 Transaction and batch / トランザクションとバッチ",
        "Many interactions in one Bundle: all or nothing, or each on its own. 複数の操作をまとめて行います。",
        request(
            "A transaction whose entries refer to each other / 相互参照のあるトランザクション",
            "POST",
            "",
            check("created", "body.entry.forEach(e => pm.expect(e.response.status).to.match(/^201/));"),
            body=bundle("transaction", *create),
            keep={"together": 'pm.response.json().entry[1].response.location.split("/_history")[0]'},
        ),
        request(
            "The reference was resolved / 参照の解決",
            "GET",
            "{{base_url}}/{{together}}",
            check("Patient/id", "pm.expect(body.subject.reference).to.match(/^Patient\\/[0-9a-f-]{36}$/);"),
        ),
        request("One wrong entry stops all / 一つの誤りで全体を取消", "POST", "", status=(400, 422), body=bundle("transaction", *failing)),
        request(
            "A batch goes on / バッチは継続",
            "POST",
            "",
            check(
                "each its own answer",
                "pm.expect(body.entry[0].response.status).to.match(/^200/);",
                "pm.expect(body.entry[1].response.status).to.match(/^404/);",
                'pm.expect(body.entry[1].response.outcome.resourceType).to.eql("OperationOutcome");',
                "pm.expect(body.entry[2].resource.total).to.eql(7);",
            ),
            body=bundle(
                "batch",
                {"request": {"method": "GET", "url": PATIENT}},
                {"request": {"method": "GET", "url": "Patient/postman-nobody"}},
                {"request": {"method": "GET", "url": "Observation?patient=postman-patient&_total=accurate&_count=2"}},
            ),
        ),
    )


def operations():
    resource = patient("unstored", "5", birthDate="1984-13-02")
    tag = {"system": "urn:tsunagi:postman", "code": "added"}
    meta = parameters({"name": "meta", "valueMeta": {"tag": [tag]}})
    tags = 'const tags = body.parameter.find(p => p.name === "return").valueMeta.tag.map(t => t.code);'
    validate = parameters({"name": "resource", "resource": resource})
    return folder(
        "7 Operations / オペレーション",
        "Beyond REST: what has a $ in its name. $ で始まるオペレーションです。",
        request(
            "Everything of a patient / 患者のすべて",
            "GET",
            f"{PATIENT}/$everything?_count=100",
            finds(PATIENT, OBSERVATIONS[0], "Condition/postman-condition", "Organization/postman-organization"),
        ),
        request(
            "Everything of an encounter / 受診のすべて",
            "GET",
            "Encounter/postman-encounter/$everything",
            finds("Encounter/postman-encounter", OBSERVATIONS[0]),
        ),
        request(
            "The last two of each code / コードごとの最新 2 件",
            "GET",
            "Observation/$lastn?patient=postman-patient&category=laboratory&max=2",
            finds(*OBSERVATIONS[-2:], only=True),
        ),
        request(
            "Statistics / 統計",
            "GET",
            "Observation/$stats?subject=Patient/postman-patient&code=2345-7&system=http://loinc.org&statistic=average&statistic=maximum",
            is_a("Parameters"),
        ),
        request(
            "Is it a code of the value set / 値セットのコードか",
            "GET",
            "ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&code=female",
            check("it is", 'pm.expect(body.parameter.find(p => p.name === "result").valueBoolean).to.eql(true);'),
        ),
        request(
            "Is it a code of the system / コード体系のコードか",
            "GET",
            "CodeSystem/$validate-code?url=http://hl7.org/fhir/administrative-gender&code=unknowable",
            check("it is not", 'pm.expect(body.parameter.find(p => p.name === "result").valueBoolean).to.eql(false);'),
        ),
        request(
            "Which code stands above / 上位のコード",
            "GET",
            "CodeSystem/$subsumes?system=http://hl7.org/fhir/administrative-gender&codeA=male&codeB=male",
            check("the same", 'pm.expect(body.parameter[0].valueCode).to.eql("equivalent");'),
        ),
        request(
            "Validate / 検証",
            "POST",
            "Patient/$validate",
            is_a("OperationOutcome"),
            check("found", "pm.expect(body.issue[0].severity).to.eql('error');"),
            body=validate,
        ),
        request("Validate what is stored / 登録済みの検証", "GET", f"{PATIENT}/$validate?mode=delete", is_a("OperationOutcome")),
        request("Meta of one / メタ情報", "GET", f"{PATIENT}/$meta", check("tag", tags, "pm.expect(tags).to.include('example');")),
        request("Meta of a type / 型のメタ情報", "GET", "Patient/$meta", is_a("Parameters")),
        request("Meta of the system / 全体のメタ情報", "GET", "$meta", is_a("Parameters")),
        request(
            "Add a tag / タグの追加",
            "POST",
            f"{PATIENT}/$meta-add",
            check("added", tags, "pm.expect(tags).to.include('added');"),
            body=meta,
        ),
        request(
            "Delete it / タグの削除",
            "POST",
            f"{PATIENT}/$meta-delete",
            check("deleted", tags, "pm.expect(tags).to.not.include('added');"),
            body=meta,
        ),
    )


def errors():
    plain = {"Content-Type": "text/plain"}
    return folder(
        "9 Errors / エラー",
        "Each failure is an OperationOutcome that says what is wrong and where. エラーの内容と場所が OperationOutcome で返ります。",
        request("Unknown id / 存在しない ID", "GET", "Patient/postman-nobody", issue("not-found"), status=404),
        request("Unknown type / 存在しない型", "GET", "Patience", issue("not-supported"), status=404),
        request("Impossible id / 使えない ID", "GET", "Patient/a_b", issue("value", "Patient.id"), status=400),
        request("Unknown parameter / 未知の検索条件", "GET", "Patient?colour=blue", issue("not-supported", "Patient?colour"), status=400),
        request("Impossible date / 日付の誤り", "GET", "Patient?birthdate=1984-13-02", status=400),
        request("Wrong method / 使えないメソッド", "PUT", "metadata", issue("not-supported"), header("Allow", "GET"), status=405, body={}),
        request("XML / XML 形式", "GET", PATIENT, issue("not-supported"), status=406, headers={"Accept": "application/fhir+xml"}),
        request(
            "Not JSON / JSON でない本文",
            "POST",
            "Patient",
            issue("structure"),
            status=400,
            headers={"Content-Type": "application/fhir+json"},
            body="{",
        ),
        request("Not FHIR / 形式の違う本文", "POST", "Patient", issue("not-supported"), status=415, headers=plain, body="patient"),
        request(
            "Invalid resource / 誤りのあるリソース",
            "POST",
            "Patient",
            check("where", "pm.expect(body.issue.map(i => i.expression[0])).to.include('Patient.birthDate');"),
            status=(400, 422),
            body={"resourceType": "Patient", "birthDate": "1984-13-02"},
        ),
        request("Unknown operation / 未知のオペレーション", "POST", "Patient/$cure", issue("not-supported"), status=404, body=parameters()),
        request("Forged page / 偽の続き", "GET", "Patient?_after=forged", status=(400, 410)),
    )
