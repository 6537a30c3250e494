"""The folder about searches: every parameter type, modifiers, chains, includes, paging, what is given back."""

from tests.clients.postman.examples import OBSERVATIONS, ORGANIZATION, PATIENT, PRACTITIONER
from tests.clients.postman.writing import check, finds, folder, misses, request

TAGGED = "_tag=urn:tsunagi:postman|example"
FIRST, LAST = OBSERVATIONS[0], OBSERVATIONS[-1]


def search(name, address, *checks, **more):
    is_searchset = check("a searchset / 検索結果", 'pm.expect(body.type).to.eql("searchset");')
    return request(name, "GET", address, is_searchset, *checks, **more)


def searching():
    return folder(
        "3 Search / 検索",
        "The search grammar of FHIR R4, each request with what it has to find. FHIR R4 の検索機能です。",
        folder("string / 文字列", "Names in kanji, kana and romaji. 漢字・カナ・ローマ字の氏名です。", *_strings()),
        folder("token / コード・識別子", "Codes and identifiers. コードと識別子です。", *_tokens()),
        folder("date, number, quantity, uri / 日付・数値・量・URI", "Values with prefixes. 比較の接頭辞があります。", *_values()),
        folder("reference, chain, _has / 参照・連鎖", "From one resource to others. 参照をたどる検索です。", *_references()),
        folder("include / 関連リソースの取得", "What belongs to the matches comes along. 関連リソースも返します。", *_includes()),
        folder("pages and order / ページと並べ替え", "Pages by the link next. next リンクで次のページへ進みます。", *_pages()),
        folder("result / 応答の形", "What is given back of each match. 応答に含める内容です。", *_results()),
        folder(
            "everywhere / 全体・区画",
            "Of several types, of a compartment, by words, by a list. 複数の型や患者区画の検索です。",
            *_everywhere(),
        ),
    )


def _strings():
    return (
        search("Kanji / 漢字", "Patient?name=郵便", finds(PATIENT)),
        search("Half-width kana / 半角カナ", "Patient?name=ﾕｳﾋﾞﾝ", finds(PATIENT)),
        search("Hiragana / ひらがな", "Patient?name=ゆうびん", finds(PATIENT)),
        search("Romaji / ローマ字", "Patient?name=yubin", finds(PATIENT)),
        search(":exact / 完全一致", "Patient?family:exact=郵便", finds(PATIENT)),
        search(":contains / 部分一致", "Patient?given:contains=ナコ&birthdate=1984-03-02", finds(PATIENT)),
        search("Two values: or / どちらか", "Patient?family=郵便,切手", finds(PATIENT)),
        search(":missing / 値の有無", f"Patient?{TAGGED}&address:missing=true", finds(PATIENT)),
    )


def _tokens():
    return (
        search("identifier with its system / 識別子", "Patient?identifier=urn:tsunagi:postman|1", finds(PATIENT, only=True)),
        search(
            "code with its system / コード",
            "Observation?code=http://loinc.org|2345-7&patient=postman-patient",
            finds(*OBSERVATIONS, only=True),
        ),
        search(":not / 否定", f"Patient?{TAGGED}&gender:not=male", finds(PATIENT)),
        search(":text / 表示名", f"Condition?code:text=２型糖尿病&{TAGGED}", finds("Condition/postman-condition")),
        search(
            ":of-type / 識別子の種別",
            "Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|1&identifier=urn:tsunagi:postman|1",
            finds(PATIENT),
        ),
        search(
            ":in a value set / 値セット", f"Patient?gender:in=http://hl7.org/fhir/ValueSet/administrative-gender&{TAGGED}", finds(PATIENT)
        ),
        search(
            ":below a code / 下位コード",
            f"Observation?category:below=http://terminology.hl7.org/CodeSystem/observation-category|laboratory&{TAGGED}",
            finds(FIRST),
        ),
    )


def _values():
    return (
        search("A month / 月", f"Observation?date=2026-04&{TAGGED}", finds(*OBSERVATIONS)),
        search("A span of days / 期間", f"Observation?date=ge2026-04-02&date=lt2026-04-04&{TAGGED}", finds(*OBSERVATIONS[1:3], only=True)),
        search("Before a birthday / 生年月日", "Patient?birthdate=lt1984-03-03&identifier=urn:tsunagi:postman|1", finds(PATIENT)),
        search("A number / 数値", f"RiskAssessment?probability=gt0.2&{TAGGED}", finds("RiskAssessment/postman-risk")),
        search(
            "A quantity / 量",
            f"Observation?value-quantity=gt145|http://unitsofmeasure.org|mg/dL&{TAGGED}",
            finds(*OBSERVATIONS[5:], only=True),
        ),
        search("In another unit / 別の単位", f"Observation?value-quantity=1.6|http://unitsofmeasure.org|g/L&{TAGGED}", finds(LAST)),
        search(
            "A uri / URI の一致",
            "ValueSet?url=http://tsunagi.example/postman/ValueSet/glucose",
            finds("ValueSet/postman-valueset", only=True),
        ),
        search("A uri :below / URI の下位", "ValueSet?url:below=http://tsunagi.example/postman", finds("ValueSet/postman-valueset")),
        search("A composite / 複合", f"Observation?code-value-quantity=2345-7$gt145&{TAGGED}", finds(*OBSERVATIONS[5:], only=True)),
        search("near / 近く", f"Location?near=34.34|134.04|5|km&{TAGGED}", finds("Location/postman-location")),
        search("Not near / 遠く", f"Location?near=35.68|139.76|5|km&{TAGGED}", misses("Location/postman-location")),
    )


def _references():
    return (
        search("A reference / 参照", "Observation?subject=Patient/postman-patient", finds(*OBSERVATIONS)),
        search("Of a type / 型を指定", "Observation?subject:Patient=postman-patient", finds(*OBSERVATIONS)),
        search(":identifier / 参照先の識別子", "Observation?subject:identifier=urn:tsunagi:postman|1", finds(*OBSERVATIONS)),
        search("A chain / 連鎖", "Observation?patient.identifier=urn:tsunagi:postman|1", finds(*OBSERVATIONS)),
        search("Two links long / 2 段の連鎖", f"Observation?subject:Patient.organization.name=郵便病院&{TAGGED}", finds(FIRST)),
        search(
            "_has / 逆方向の連鎖",
            "Patient?_has:Observation:patient:code=2345-7&identifier=urn:tsunagi:postman|1",
            finds(PATIENT, only=True),
        ),
    )


def _includes():
    return (
        search("_include / 参照先", "Observation?_id=postman-observation-1&_include=Observation:subject", finds(FIRST, PATIENT, only=True)),
        search(
            "_include of what was included / 連続した取得",
            "Observation?_id=postman-observation-1&_include=Observation:subject&_include:iterate=Patient:organization",
            finds(FIRST, PATIENT, ORGANIZATION, only=True),
        ),
        search("_include=* / すべての参照先", "Observation?_id=postman-observation-1&_include=*", finds(FIRST, PATIENT, PRACTITIONER)),
        search("_revinclude / 参照元", "Patient?_id=postman-patient&_revinclude=Observation:patient", finds(PATIENT, *OBSERVATIONS)),
    )


def _pages():
    pages = "Observation?patient=postman-patient&_sort=date&_count=3&_total=accurate"
    more = {"next": 'pm.response.json().link.find(l => l.relation === "next").url'}
    return (
        search(
            "The first page / 最初のページ",
            pages,
            finds(*OBSERVATIONS[:3], only=True),
            check("seven in all", "pm.expect(body.total).to.eql(7);"),
            keep=more,
        ),
        search("The second page / 2 ページ目", "{{next}}", finds(*OBSERVATIONS[3:6], only=True), keep=more),
        search(
            "The last page / 最後のページ",
            "{{next}}",
            finds(LAST, only=True),
            check("no more", 'pm.expect(body.link.map(l => l.relation)).to.not.include("next");'),
        ),
        search(
            "Newest first / 新しい順",
            "Observation?patient=postman-patient&_sort=-date&_count=1",
            finds(LAST, only=True),
        ),
        search(
            "Only the number / 件数のみ",
            "Observation?patient=postman-patient&_summary=count",
            check("seven", "pm.expect(body.total).to.eql(7);"),
        ),
    )


def _results():
    subset = 'pm.expect(body.entry[0].resource.meta.tag.map(t => t.code)).to.include("SUBSETTED");'
    return (
        search("_summary=true / 要約", "Patient?_id=postman-patient&_summary=true", check("marked", subset)),
        search(
            "_summary=text / 説明文",
            "Condition?_id=postman-condition&_summary=text",
            check("text", "pm.expect(body.entry[0].resource.text).to.be.an('object');"),
        ),
        search(
            "_elements / 要素の指定",
            "Patient?_id=postman-patient&_elements=birthDate",
            check("no name", "pm.expect(body.entry[0].resource).to.not.have.property('name');"),
        ),
        search(
            "_contained / 内包リソース",
            "Medication?_contained=true&code=urn:tsunagi:postman|drug",
            finds("MedicationRequest/postman-prescription"),
        ),
        request(
            "_elements of a read / 参照での要素の指定",
            "GET",
            f"{PATIENT}?_elements=gender",
            check("gender", "pm.expect(body.gender).to.eql('female');"),
        ),
    )


def _everywhere():
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return (
        request(
            "POST _search / POST による検索",
            "POST",
            "Patient/_search",
            finds(PATIENT),
            headers=form,
            body="identifier=urn:tsunagi:postman|1",
        ),
        search(
            "Of several types / 複数の型",
            "?_type=Patient,Organization&_id=postman-patient,postman-organization",
            finds(PATIENT, ORGANIZATION),
        ),
        request("The same by POST / POST による全体検索", "POST", "_search", finds(PATIENT), headers=form, body=f"_type=Patient&{TAGGED}"),
        search("Of a patient / 患者区画の一つの型", f"{PATIENT}/Observation?code=2345-7", finds(*OBSERVATIONS)),
        search(
            "All of a patient / 患者区画のすべて",
            f"{PATIENT}/*?_count=100",
            finds(FIRST, "Condition/postman-condition", "Encounter/postman-encounter"),
        ),
        request(
            "Of a patient by POST / POST による患者区画",
            "POST",
            f"{PATIENT}/Observation/_search",
            finds(*OBSERVATIONS),
            headers=form,
            body="code=2345-7",
        ),
        request(
            "All of a patient by POST / POST による患者区画のすべて",
            "POST",
            f"{PATIENT}/*/_search",
            finds(FIRST),
            headers=form,
            body="_count=100",
        ),
        search("_list / リスト", "Observation?_list=postman-list", finds(FIRST, only=True)),
        search(
            "_filter / 条件式",
            f"Observation?_filter=value-quantity gt 145 and patient eq Patient/postman-patient&{TAGGED}",
            finds(*OBSERVATIONS[5:], only=True),
        ),
        search("_text / 説明文の語", f"Condition?_text=切手収集&{TAGGED}", finds("Condition/postman-condition")),
        search("_content / 全文の語", f"Condition?_content=糖尿病&{TAGGED}", finds("Condition/postman-condition")),
        search("_lastUpdated / 更新日時", f"Patient?_lastUpdated=gt2020-01-01&{TAGGED}", finds(PATIENT)),
        search(
            "Lenient / 未知の条件を無視", "Patient?unknown=1&_id=postman-patient", finds(PATIENT), headers={"Prefer": "handling=lenient"}
        ),
    )
