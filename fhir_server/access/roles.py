"""What each role may do with each type of resource, before scopes narrow it: one table.

NETWORK.md F003-F008, F006 (the secretariat administers and reads no clinical data), L30 (an uploader uploads and nothing else).

What is not in the table is not allowed. Types are grouped by what they tell of a patient; a type that stands in no group is
clinical, so that a new one is not open to administrators by mistake.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from fhir_server.auth.roles import Role

DIRECTORY: Final = frozenset(
    {"Organization", "OrganizationAffiliation", "Practitioner", "PractitionerRole", "Location", "HealthcareService", "Endpoint"}
)
"""Who takes part: facilities and their people."""

PERSONS: Final = frozenset({"Patient", "RelatedPerson", "Person"})

ADMINISTRATIVE: Final = frozenset(
    {
        "Account", "Appointment", "AppointmentResponse", "ChargeItem", "Claim", "ClaimResponse", "Coverage", "CoverageEligibilityRequest",
        "CoverageEligibilityResponse", "Encounter", "EnrollmentRequest", "EnrollmentResponse", "EpisodeOfCare", "ExplanationOfBenefit",
        "Invoice", "PaymentNotice", "PaymentReconciliation", "Schedule", "Slot",
    }
)  # fmt: skip
"""Visits, appointments, insurance and money: what a facility's desk works with (事務)."""

GOVERNANCE: Final = frozenset({"AuditEvent", "Consent", "Contract", "Linkage", "Subscription", "Task", "VerificationResult"})
"""Who may see what, who did, and what the secretariat has to do."""

DEFINITIONS: Final = frozenset(
    {
        "ActivityDefinition", "CapabilityStatement", "CatalogEntry", "ChargeItemDefinition", "CodeSystem", "CompartmentDefinition",
        "ConceptMap", "DeviceDefinition", "EffectEvidenceSynthesis", "EventDefinition", "Evidence", "EvidenceVariable", "ExampleScenario",
        "GraphDefinition", "ImplementationGuide", "InsurancePlan", "Library", "Measure", "MedicationKnowledge", "MedicinalProduct",
        "MedicinalProductAuthorization", "MedicinalProductContraindication", "MedicinalProductIndication", "MedicinalProductIngredient",
        "MedicinalProductInteraction", "MedicinalProductManufactured", "MedicinalProductPackaged", "MedicinalProductPharmaceutical",
        "MedicinalProductUndesirableEffect", "MessageDefinition", "NamingSystem", "ObservationDefinition", "OperationDefinition",
        "PlanDefinition", "Questionnaire", "ResearchDefinition", "ResearchElementDefinition", "RiskEvidenceSynthesis", "SearchParameter",
        "SpecimenDefinition", "StructureDefinition", "StructureMap", "Substance", "SubstanceNucleicAcid", "SubstancePolymer",
        "SubstanceProtein", "SubstanceReferenceInformation", "SubstanceSourceMaterial", "SubstanceSpecification",
        "TerminologyCapabilities", "TestReport", "TestScript", "ValueSet",
    }
)  # fmt: skip
"""What tells nothing of anybody."""

_MEDICATION: Final = frozenset({"Medication", "MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement"})
_OF_PHARMACISTS: Final = _MEDICATION | {
    "AdverseEvent", "AllergyIntolerance", "Communication", "DetectedIssue", "DocumentReference", "Binary", "QuestionnaireResponse",
    "Provenance",
}  # fmt: skip
_OF_NURSES: Final = frozenset(
    {
        "AdverseEvent", "AllergyIntolerance", "Binary", "CarePlan", "CareTeam", "Communication", "DeviceUseStatement", "DocumentReference",
        "Encounter", "Flag", "Goal", "Immunization", "List", "MedicationAdministration", "MedicationStatement", "NutritionOrder",
        "Observation", "Procedure", "Provenance", "QuestionnaireResponse", "RiskAssessment", "Specimen",
    }
)  # fmt: skip
_OF_DESKS: Final = ADMINISTRATIVE | {"Patient", "RelatedPerson"}
_OF_THE_SECRETARIAT: Final = frozenset({"Consent", "Linkage", "Task", "Group"}) | PERSONS | DIRECTORY
_READ_BY_THE_SECRETARIAT: Final = frozenset({"Provenance", "Communication", "QuestionnaireResponse"})
"""Why it was decided so, what was told to whom, and the consent forms: what the network keeps itself, or was handed in to it."""

_LISTED: Final = DIRECTORY | PERSONS | ADMINISTRATIVE | GOVERNANCE | DEFINITIONS

READ: Final = "rs"
WRITE: Final = "cu"
ALL: Final = "cruds"


def table(types: frozenset[str]) -> Mapping[Role, Mapping[str, str]]:
    """Give for each role the types it may do anything with, and which of create, read, update, delete, search."""
    clinical = types - _LISTED
    care = clinical | PERSONS | ADMINISTRATIVE | DIRECTORY | DEFINITIONS | {"Consent"}
    known: dict[Role, Mapping[str, str]] = {
        Role.PHYSICIAN: _rows((care, READ), (clinical | ADMINISTRATIVE, ALL), ({"Patient", "RelatedPerson"}, "crus")),
        Role.PHARMACIST: _rows((care, READ), (_OF_PHARMACISTS, "crus")),
        Role.NURSE: _rows((care, READ), (_OF_NURSES, "crus")),
        Role.CLERK: _rows((DIRECTORY | PERSONS | ADMINISTRATIVE | DEFINITIONS | {"Consent", "Communication"}, READ), (_OF_DESKS, "crus")),
        Role.SECRETARIAT: _rows(
            (_OF_THE_SECRETARIAT, ALL), (DEFINITIONS | _READ_BY_THE_SECRETARIAT, READ), ({"Patient", "Person", "RelatedPerson"}, "crus")
        ),
        Role.AUDITOR: _rows((frozenset({"AuditEvent"}) | DIRECTORY, READ)),
        Role.PATIENT: _rows((clinical | ADMINISTRATIVE | {"Patient", "RelatedPerson", "Consent"} | DIRECTORY | DEFINITIONS, READ)),
        Role.UPLOADER: _rows((clinical | ADMINISTRATIVE | {"Patient", "RelatedPerson"} | DIRECTORY, WRITE)),
        Role.SYSTEM: _rows((care, READ), (clinical | ADMINISTRATIVE, ALL), ({"Patient", "RelatedPerson"} | DIRECTORY, "crus")),
        Role.TESTER: _rows((types, ALL)),
    }
    return MappingProxyType({role: {type: letters for type, letters in rows.items() if type in types} for role, rows in known.items()})


def _rows(*groups: tuple[frozenset[str] | set[str], str]) -> dict[str, str]:
    """The types of each group with what may be done; a later group says more exactly what an earlier one said."""
    return {type: letters for types, letters in groups for type in sorted(types)}


OF_A_FACILITY: Final = frozenset({Role.PHYSICIAN, Role.PHARMACIST, Role.NURSE, Role.CLERK, Role.UPLOADER, Role.SYSTEM})
"""Who acts on behalf of a facility: without one they may do nothing, and they write only where it provides data (F004)."""
