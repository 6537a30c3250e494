"""What kinds of data are called on the consent page: the resource types that hospitals exchange, in everyday words.

https://hl7.org/fhir/R4/resourcelist.html
https://jpfhir.jp/fhir/core/1.2.0/ (JP Core, the Japanese terms)
"""

from typing import Final

from fhir_server.authorization.pages.words import Text

_NAMES: Final = {
    "Account": Text("会計の口座", "accounts for billing"),
    "AdverseEvent": Text("有害事象", "adverse events"),
    "AllergyIntolerance": Text("アレルギー・不耐性", "allergies and intolerances"),
    "Appointment": Text("予約", "appointments"),
    "AppointmentResponse": Text("予約への返答", "answers to appointments"),
    "AuditEvent": Text("利用の記録（監査証跡）", "the audit trail"),
    "Basic": Text("その他の記録", "other records"),
    "Binary": Text("添付ファイル", "attached files"),
    "BodyStructure": Text("身体の部位", "body structures"),
    "Bundle": Text("資料のまとまり（バンドル）", "bundles of documents"),
    "CarePlan": Text("ケアプラン", "care plans"),
    "CareTeam": Text("担当チーム", "care teams"),
    "ChargeItem": Text("医事会計の項目", "charges"),
    "Claim": Text("請求", "claims"),
    "ClinicalImpression": Text("臨床所見", "clinical impressions"),
    "Communication": Text("連絡", "messages"),
    "CommunicationRequest": Text("連絡の依頼", "requests for messages"),
    "Composition": Text("診療文書の構成", "clinical documents"),
    "Condition": Text("病名・プロブレム", "diagnoses and problems"),
    "Consent": Text("同意", "consents"),
    "Coverage": Text("保険", "insurance"),
    "DetectedIssue": Text("処方などの警告", "detected issues"),
    "Device": Text("医療機器", "devices"),
    "DeviceRequest": Text("医療機器の依頼", "requests for devices"),
    "DeviceUseStatement": Text("医療機器の使用", "use of devices"),
    "DiagnosticReport": Text("検査報告書", "diagnostic reports"),
    "DocumentManifest": Text("文書の一覧", "lists of documents"),
    "DocumentReference": Text("診療文書", "documents"),
    "Encounter": Text("受診・入院", "visits and stays"),
    "EpisodeOfCare": Text("診療の期間", "episodes of care"),
    "FamilyMemberHistory": Text("家族歴", "family history"),
    "Flag": Text("注意事項", "warnings"),
    "Goal": Text("治療目標", "goals"),
    "Group": Text("患者などの集まり", "groups"),
    "ImagingStudy": Text("画像検査", "imaging studies"),
    "Immunization": Text("予防接種", "immunizations"),
    "List": Text("一覧", "lists"),
    "Location": Text("場所・病棟", "locations"),
    "Media": Text("写真・動画・音声", "photos, video and sound"),
    "Medication": Text("医薬品", "medications"),
    "MedicationAdministration": Text("投薬の実施", "medications given"),
    "MedicationDispense": Text("調剤", "medications dispensed"),
    "MedicationRequest": Text("処方", "prescriptions"),
    "MedicationStatement": Text("服薬状況", "medications taken"),
    "NutritionOrder": Text("食事の指示", "diets"),
    "Observation": Text("検査結果・バイタルサインなどの観察", "laboratory results, vital signs and other observations"),
    "Organization": Text("医療機関", "facilities"),
    "Patient": Text("患者の基本情報（氏名、生年月日、住所など）", "the patient's personal details (name, birth date, address…)"),
    "Person": Text("人物の情報", "persons"),
    "Practitioner": Text("医療従事者", "practitioners"),
    "PractitionerRole": Text("医療従事者の役割", "roles of practitioners"),
    "Procedure": Text("手術・処置", "operations and procedures"),
    "Provenance": Text("記録の出所", "where records come from"),
    "Questionnaire": Text("問診票", "questionnaires"),
    "QuestionnaireResponse": Text("問診票の回答", "answers to questionnaires"),
    "RelatedPerson": Text("家族・関係者", "family and other related persons"),
    "RequestGroup": Text("指示のまとまり", "groups of orders"),
    "RiskAssessment": Text("リスク評価", "risk assessments"),
    "Schedule": Text("予定表", "schedules"),
    "ServiceRequest": Text("検査・処置などの指示", "orders for tests and procedures"),
    "Slot": Text("予約枠", "free times"),
    "Specimen": Text("検体", "specimens"),
    "Subscription": Text("更新の通知", "notifications"),
    "Task": Text("作業・依頼", "tasks"),
    "VisionPrescription": Text("眼鏡・コンタクトの処方", "prescriptions for glasses"),
    "*": Text("すべての種類の診療情報", "all kinds of data"),
}


def kind_of_data(type: str) -> Text:
    """Give what people call a resource type; its own name where they have no word for it."""
    return _NAMES.get(type) or Text(f"「{type}」の情報", f"data of the type “{type}”")
