"""The folder that tells the network's story: uploads, a consent, its publication, a pause, an emergency, a disaster, erasure.

NETWORK.md §0.1, §0.2. In the end the patient is erased (D8), so that it can be told again.
"""

from profiles.definitions import r4
from tests.clients.postman.examples import bundle, put
from tests.clients.postman.logging_in import people
from tests.clients.postman.story_data import BIRTH, NUMBERS, ORGANIZATIONS, id_of, signed, system, upload
from tests.clients.postman.writing import basic, bearer, check, finds, folder, form, is_a, issue, misses, request

GOLDEN, CONSENT = "Patient/{{golden}}", "Consent/{{consent}}"
RESULTS = f"Observation?patient={GOLDEN}&category=laboratory"
A, B = (f"Observation/{id_of(letter)}" for letter in "ab")
AT_A, AT_B, AT_C = (f"Patient/{id_of(letter)}" for letter in "abc")
UPLOADERS = {
    "a": ("uploader-a", "{{uploader_a_secret}}"),
    "b": ("{{uploader_id}}", "{{uploader_secret}}"),
    "c": ("uploader-c", "{{uploader_c_secret}}"),
}
LATER = "new Date(Date.now() + {} * 864e5).toLocaleDateString('sv-SE', {{ timeZone: 'Asia/Tokyo' }})"
WHY = {"reasonCode": ("valueCode", "life-and-body"), "reason": ("valueString", "意識がなく、同意を確認できない")}
REASON = {"reason": ("valueString", "氏名・生年月日・住所が一致")}


def story():
    return folder(
        "11 Story / 物語",
        "From the upload to the erasure, told by the people of the sandbox. データ登録から公開、停止、緊急・災害時の閲覧、削除までの流れです。",
        people(),
        folder("uploads / データ登録", "Each facility sees its own. 各施設は自施設のデータだけを参照できます。", *_uploads()),
        folder("consent / 同意と公開", "The patient signs, the secretariat publishes. 患者が署名し、事務局が公開します。", *_consent()),
        folder("the patient stops / 利用停止", "One facility, for a month. 1 施設を 1 か月停止します。", *_stopped()),
        folder("emergency / 緊急時の閲覧", "By core hospitals only. 中核病院だけが閲覧できます。", *_emergency()),
        folder("disaster / 災害時の閲覧", "Opened by two persons. 2 人で開始します。", *_disaster()),
        folder("who may ask / 役割の確認", "What others may ask for is refused. 担当者以外は拒否されます。", *_refused()),
        folder("the end / 削除", "Stopped, and erased by two persons. 停止後、2 人で削除します。", *_end()),
    )


def _as(who):
    return bearer(f"{{{{{who}}}}}")


def operation(name, who, address, *checks, status=200, keep=None, **given):
    """Ask for an operation: each argument (element, value)."""
    parts = [{"name": argument, ("resource" if element is None else element): value} for argument, (element, value) in given.items()]
    body = {"resourceType": "Parameters", **({"parameter": parts} if parts else {})}
    return request(name, "POST", address, *checks, status=status, keep=keep, body=body, auth=_as(who))


def seen(name, who, *found, hidden=(), purpose=None):
    """Who finds these results, and not those."""
    checks = (finds(*found, only=not hidden), *([misses(*hidden)] if hidden else []))
    total = check("counts what is shown", f"pm.expect((body.entry || []).length).to.eql({len(found)});")
    return request(name, "GET", RESULTS, *checks, total, auth=_as(who), headers={"Purpose-Of-Use": purpose} if purpose else None)


def state(code):
    """The consent stands there."""
    return check(
        f"the state is {code}",
        "const state = body.parameter.find(p => p.name === 'state').valueCodeableConcept;",
        f"pm.expect(state.coding[0].code).to.eql({code!r});",
    )


def reference(letter):
    return "valueReference", {"reference": ORGANIZATIONS[letter]}


def _part(name, element="valueReference.reference.split('/')[1]"):
    return f"pm.response.json().parameter.find(p => p.name === {name!r}).{element}"


def _uploads():
    english = {"a": ("Clinic A", "診療所Ａ"), "b": ("Hospital B", "病院Ｂ"), "c": ("Pharmacy C", "薬局Ｃ")}
    for letter, (client, secret) in UPLOADERS.items():
        name, japanese = english[letter]
        body = form(grant_type="client_credentials", scope="system/*.cud")
        keep = {
            "uploader": "pm.response.json().access_token",
            "today": LATER.format(0),
            **({"run": "String(Date.now()).slice(-9)"} if letter == "a" else {}),
        }
        fetched = check("a token", 'pm.expect(body.token_type).to.eql("Bearer");')
        yield request(
            f"A token of {name} / {japanese}: アップロード用トークン",
            "POST",
            "{{token_endpoint}}",
            fetched,
            body=body,
            auth=basic(client, secret),
            keep=keep,
        )
        resources = upload(letter)
        stored = check("all stored", f"pm.expect(body.entry.length).to.eql({len(resources)});")
        yield request(
            f"{name} uploads / {japanese}: 登録", "POST", "", stored, body=bundle("transaction", *map(put, resources)), auth=_as("uploader")
        )
    tagged = check(
        "in its custody",
        f"pm.expect(body.meta.tag.find(t => t.system === 'urn:tsunagi:custodian').code).to.eql({ORGANIZATIONS['a'][13:]!r});",
    )
    yield request("A reads its own / 診療所Ａ: 自施設の参照", "GET", A, tagged, auth=_as("a2"))
    yield request("A does not read B's / 診療所Ａ: 他施設は不可", "GET", B, issue("not-found"), status=404, auth=_as("a2"))
    yield request("B does not know A's patient / 病院Ｂ: 他施設の患者は不可", "GET", AT_A, issue("not-found"), status=404, auth=_as("b1"))


def _consent():
    key = f"{system('b')}|{NUMBERS['b']}"
    sought = {"resourceType": "Patient", "name": [{"family": "モノガタリ", "given": ["ハナエ"]}], "gender": "female", "birthDate": BIRTH}
    told = "pm.expect(body.entry.some(e => e.resource.about.some(a => a.reference === `Consent/${pm.collectionVariables.get('consent')}`))).to.eql(true);"
    linked = {"golden": _part("golden")}
    side_by_side = check(
        "A's and C's patients",
        "const found = body.parameter.filter(p => p.name === 'candidate').map(p => p.part.find(q => q.name === 'patient').resource.id);",
        "const run = pm.collectionVariables.get('run'); pm.expect(found).to.include.members([`story-a-${run}`, `story-c-${run}`]);",
    )
    waits = check("the form waits", "pm.expect(body.parameter.filter(p => p.name === 'form').length).to.be.above(0);")
    named = check("an id", "pm.expect(body.parameter.some(p => p.name === 'targetId')).to.eql(true);")
    return (
        operation("The form is handed in / 病院Ｂ: 同意書の提出", "b1", "QuestionnaireResponse/$submit-consent", form=(None, signed()),
                  keep={"consent": _part("consent")}),
        operation("What waits for the secretariat / 事務局: 処理待ち", "s1", "Consent/$form-queue", waits),
        operation("A facility checks no form / 診療所Ａ: 記載確認は不可", "a2", f"{CONSENT}/$check-form", issue("forbidden"), status=403),
        operation("The form is checked / 事務局: 記載確認", "s1", f"{CONSENT}/$check-form", state("form-check")),
        operation("The original has come by post / 事務局: 原本受領", "s1", f"{CONSENT}/$original-received", is_a("Parameters")),
        operation("Who may be the same / 事務局: 名寄せ候補", "s1", f"{AT_B}/$match-candidates", side_by_side),
        operation("They are one person / 事務局: 名寄せ", "s1", f"{AT_B}/$link", keep=linked,
                  target=("valueReference", {"reference": AT_A}), **REASON),
        operation("They are two after all / 事務局: 名寄せ解除", "s1", f"{AT_A}/$unlink", is_a("Parameters"), **REASON),
        operation("That was a mistake / 事務局: 解除の取消", "s1", f"{AT_A}/$undo", is_a("Parameters"), keep=linked, **REASON),
        operation("It is published / 事務局: 公開", "s1", f"{CONSENT}/$publish", state("published")),
        seen("A sees both / 診療所Ａ: 双方の参照", "a2", A, B),
        seen("B sees both / 病院Ｂ: 双方の参照", "b1", A, B),
        seen("D sees nothing / 病院Ｄ: 参照不可", "d1"),
        request("A is told / 事務局: 診療所Ａへのお知らせ", "GET", f"Communication?recipient={ORGANIZATIONS['a']}&_sort=-sent&_count=5", check("of this consent", told), auth=_as("s1")),
        operation("Why D does not see her / 事務局: 非公開の理由", "s1", "Consent/$explain", check("no", "pm.expect(body.parameter[0].valueBoolean).to.eql(false);"),
                  patient=("valueReference", {"reference": GOLDEN}), organization=reference("d")),
        operation("Who it may be / 病院Ｂ: 患者の照合", "b1", "Patient/$match", finds(AT_B), resource=(None, sought)),
        operation("By number / 事務局: 患者番号の照会", "s1", "Patient/$ihe-pix", named, sourceIdentifier=("valueString", key)),
    )  # fmt: skip


def _stopped():
    end = {"end": ("valueDateTime", "{{month}}")}
    month = check(
        "a date", f"pm.collectionVariables.set('month', {LATER.format(30)}); pm.collectionVariables.set('days', {LATER.format(3)});"
    )
    me = "pm.response.json().entry.map(e => e.resource).find(r => r.status === 'active').patient.reference"
    mine = "pm.response.json().entry.map(e => e.resource).find(r => r.status === 'active').id"
    return (
        request("Her consent / 事務局: 同意の状態", "GET", CONSENT, is_a("Consent"), month, auth=_as("s1")),
        operation("A is stopped for a month / 事務局: 診療所Ａの一時停止", "s1", f"{CONSENT}/$stop", state("paused"),
                  what=("valueCode", "facilities"), organization=reference("a"), **end),
        seen("B sees its own only / 病院Ｂ: 停止後の参照", "b1", B),
        seen("A sees its own only / 診療所Ａ: 停止後の参照", "a2", A),
        request("A patient sees her consent / 患者: 自分の同意", "GET", "Consent?_count=50", is_a("Bundle"), auth=_as("q1"), keep={"mine": mine, "me": me}),
        operation("She stops it herself / 患者: 一時停止", "q1", "Consent/{{mine}}/$stop", state("paused"), what=("valueCode", "period"), **end),
        operation("She resumes / 患者: 再開", "q1", "Consent/{{mine}}/$resume", state("published")),
        operation("She learns why D does not see her / 患者: 非公開の理由", "q1", "Consent/$explain", is_a("Parameters"),
                  patient=("valueReference", {"reference": "{{me}}"}), organization=reference("d")),
    )  # fmt: skip


def _emergency():
    btg, patient = ("valueCode", "BTG"), ("valueReference", {"reference": GOLDEN})
    signed_off = check("justified", "pm.expect(body.parameter.find(p => p.name === 'outcome').valueCode).to.eql('justified');")
    return (
        operation("D may not / 病院Ｄ: 緊急閲覧は不可", "d1", "$emergency-access", issue("forbidden"), status=403, purpose=btg, patient=patient, **WHY),
        seen("B without it / 病院Ｂ: 開始前", "b1", B, purpose="BTG"),
        operation("B opens it with a reason / 病院Ｂ: 緊急閲覧の開始", "b1", "$emergency-access", purpose=btg, patient=patient, **WHY,
                  keep={"emergency": _part("emergency")}),
        seen("B sees A's, in the emergency / 病院Ｂ: 緊急閲覧", "b1", A, B, purpose="BTG"),
        seen("Not without declaring it / 病院Ｂ: 目的の宣言なし", "b1", B),
        operation("It ends / 病院Ｂ: 緊急閲覧の終了", "b1", "$end-emergency-access", is_a("Parameters")),
        seen("It is over / 病院Ｂ: 終了後", "b1", B, purpose="BTG"),
        operation("It is reviewed / 事務局: 緊急閲覧の点検", "s2", "Task/{{emergency}}/$sign-off", signed_off,
                  finding=("valueString", "救急搬送の記録と照合した"), justified=("valueBoolean", True)),
    )  # fmt: skip


def _disaster():
    named = {"disaster": ("valueString", "{{disaster}}")}
    return (
        operation("A secretary proposes it / 事務局: 災害モードの提案", "s1", "$propose-disaster", area=("valueString", "高松市"), end=("valueDateTime", "{{days}}"),
                  reason=("valueString", "訓練: 南海トラフ地震"), keep={"disaster": _part("disaster", "valueString")}),
        operation("She cannot approve it herself / 事務局: 本人の承認は不可", "s1", "$approve-disaster", issue("forbidden"), status=403, **named),
        operation("Another one approves it / 事務局 (2 人目): 承認", "s2", "$approve-disaster", is_a("Parameters"), **named),
        seen("B sees A's, in the disaster / 病院Ｂ: 災害時の閲覧", "b1", A, B, purpose="ETREAT"),
        seen("D does not / 病院Ｄ: 災害時も不可", "d1", purpose="ETREAT"),
        operation("It is closed / 事務局: 災害モードの終了", "s1", "$close-disaster", is_a("Parameters"), **named),
        seen("Closed for B / 病院Ｂ: 災害モード終了後", "b1", B, purpose="ETREAT"),
        operation("A is resumed / 事務局: 診療所Ａの再開", "s1", f"{CONSENT}/$resume", state("published")),
        seen("B sees both again / 病院Ｂ: 再開後", "b1", A, B),
        operation("D is added / 事務局: 病院Ｄの追加", "s1", f"{CONSENT}/$add-facility", is_a("Parameters"), organization=reference("d"),
                  source=("valueReference", {"reference": "QuestionnaireResponse/{{consent}}"})),
    )  # fmt: skip


def _refused():
    """Each operation that has a role of its own, asked for by the tester, who may do everything else."""
    for definition in sorted(
        (each for each in r4().networks if each["resourceType"] == "OperationDefinition"), key=lambda each: each["id"]
    ):
        if definition["id"] == "Patient-ihe-pix" or not definition["url"].startswith("urn:tsunagi:"):
            continue
        type = (definition.get("resource") or [""])[0]
        address = "/".join(part for part in (type, id_of("b") if definition["instance"] else "", f"${definition['code']}") if part)
        needed = [_argument(each) for each in definition["parameter"] if each["use"] == "in" and each["min"]]
        body = {"resourceType": "Parameters", **({"parameter": needed} if needed else {})}
        yield request(
            f"Not for testers: ${definition['code']} / 試験用の役割では不可 (${definition['code']})",
            "POST",
            address,
            issue("forbidden"),
            status=403,
            body=body,
        )


def _argument(parameter):
    values = {
        "Reference": {"reference": AT_B},
        "dateTime": "2026-04-01",
        "QuestionnaireResponse": {"resourceType": "QuestionnaireResponse", "status": "completed"},
    }
    kind = parameter["type"]
    element = "resource" if kind == "QuestionnaireResponse" else f"value{kind[0].upper()}{kind[1:]}"
    return {"name": parameter["name"], element: values.get(kind, "2026-04")}


def _end():
    asked = {"reason": ("valueString", "患者からの削除の届出"), "form": ("valueString", "R8-1")}
    told = check(
        "who looked, and why",
        "pm.expect(body.parameter.filter(p => p.name === 'look').length).to.be.above(3);",
        "pm.expect(JSON.stringify(body)).to.include('意識がなく');",
    )
    done = check("erased", "pm.expect(body.parameter.find(p => p.name === 'state').valueCode).to.eql('done');")
    return (
        operation("Who shares, and who looked / 事務局: 患者への報告", "s1", f"{AT_B}/$access-report", told),
        operation("All is stopped / 事務局: 全停止", "s1", f"{CONSENT}/$stop", state("stopped"), what=("valueCode", "all")),
        seen("B sees its own, in the end / 病院Ｂ: 停止後は自施設のみ", "b1", B),
        operation("Erasure is asked for / 事務局: 削除の申請", "s1", f"{GOLDEN}/$request-erasure", is_a("Parameters"), **asked),
        operation("Not by one alone / 事務局: 本人の承認は不可 (削除)", "s1", f"{GOLDEN}/$approve-erasure", issue("forbidden"), status=403),
        operation("Erased by two / 事務局 (2 人目): 削除の承認", "s2", f"{GOLDEN}/$approve-erasure", done),
        request("Nothing of her is left / 病院Ｂ: 削除後", "GET", AT_B, issue("not-found"), status=404, auth=_as("b1")),
    )  # fmt: skip
