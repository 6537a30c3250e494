"""The resources that the collection brings along, all with ids and a tag of its own: a second run finds them again."""

from tests.clients.postman.writing import TAG

META = {"tag": [TAG]}
PATIENT, ORGANIZATION, PRACTITIONER = "Patient/postman-patient", "Organization/postman-organization", "Practitioner/postman-practitioner"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
OBSERVATIONS = [f"Observation/postman-observation-{number}" for number in range(1, 8)]


def resource(type, id, **elements):
    return {"resourceType": type, "id": f"postman-{id}", "meta": META, **elements}


def written(representation, family, given, text):
    return {
        "extension": [{"url": REPRESENTATION, "valueCode": representation}],
        "use": "official",
        "text": text,
        "family": family,
        "given": [given],
    }


def patient(id="patient", number="1", **elements):
    return resource(
        "Patient",
        id,
        **{
            "identifier": [
                {
                    "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                    "system": "urn:tsunagi:postman",
                    "value": number,
                }
            ],
            "active": True,
            "name": [written("IDE", "郵便", "花子", "郵便 花子"), written("SYL", "ユウビン", "ハナコ", "ユウビン ハナコ")],
            "telecom": [{"system": "phone", "value": "03-0000-0000"}],
            "gender": "female",
            "birthDate": "1984-03-02",
            "managingOrganization": {"reference": ORGANIZATION},
            **elements,
        },
    )


def observation(number, value):
    """Glucose on the given day of April 2026, in mg/dL."""
    return resource(
        "Observation",
        f"observation-{number}",
        status="final",
        category=[{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        code={
            "coding": [{"system": LOINC, "code": "2345-7", "display": "Glucose [Mass/volume] in Serum or Plasma"}],
            "text": "血糖 グルコース",
        },
        subject={"reference": PATIENT, "identifier": {"system": "urn:tsunagi:postman", "value": "1"}},
        encounter={"reference": "Encounter/postman-encounter"},
        performer=[{"reference": PRACTITIONER}],
        effectiveDateTime=f"2026-04-{number:02}T09:00:00+09:00",
        valueQuantity={"value": value, "unit": "mg/dL", "system": UCUM, "code": "mg/dL"},
    )


def bring_along():
    """Every resource of the collection, in an order that the references do not mind."""
    return [
        resource("Organization", "organization", name="郵便病院", alias=["Postman Hospital"]),
        resource("Practitioner", "practitioner", name=[{"family": "配達", "given": ["一郎"]}]),
        patient(),
        resource(
            "Encounter",
            "encounter",
            status="finished",
            **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
            subject={"reference": PATIENT},
            period={"start": "2026-04-01T08:30:00+09:00", "end": "2026-04-01T10:00:00+09:00"},
        ),
        *(observation(number, 90 + 10 * number) for number in range(1, 8)),
        resource(
            "Condition",
            "condition",
            code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "E11"}], "text": "２型糖尿病"},
            subject={"reference": PATIENT},
            recordedDate="2026-04-01",
            text={"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">切手収集を趣味とする糖尿病</div>'},
        ),
        resource("RiskAssessment", "risk", status="final", subject={"reference": PATIENT}, prediction=[{"probabilityDecimal": 0.25}]),
        resource("Location", "location", name="郵便病院本館", position={"longitude": 134.0466, "latitude": 34.3401}),
        resource("ValueSet", "valueset", url="http://tsunagi.example/postman/ValueSet/glucose", status="active"),
        resource(
            "List",
            "list",
            status="current",
            mode="working",
            entry=[{"item": {"reference": OBSERVATIONS[0]}}, {"item": {"reference": PATIENT}}],
        ),
        resource(
            "MedicationRequest",
            "prescription",
            status="active",
            intent="order",
            subject={"reference": PATIENT},
            contained=[
                {"resourceType": "Medication", "id": "drug", "code": {"coding": [{"system": "urn:tsunagi:postman", "code": "drug"}]}}
            ],
            medicationReference={"reference": "#drug"},
            authoredOn="2026-04-01",
        ),
    ]


def bundle(type, *entries):
    return {"resourceType": "Bundle", "type": type, "entry": list(entries)}


def put(resource):
    return {"resource": resource, "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}}


def delete(reference):
    return {"request": {"method": "DELETE", "url": reference}}


def parameters(*pairs):
    return {"resourceType": "Parameters", "parameter": list(pairs)}
