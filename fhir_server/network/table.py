"""Which function performs which operation of the network: OperationDefinition.id -> performer."""

from collections.abc import Mapping
from types import MappingProxyType

from fhir_server.network.consent_form import adding, checking, publishing, stopping, submitting, waiting
from fhir_server.network.desk import Performer
from fhir_server.network.emergency import access, disaster, reviews
from fhir_server.network.erasure import operations as erasure
from fhir_server.network.explain import explain
from fhir_server.network.matching import match, operations, pix
from fhir_server.network.reporting import access_report, billing_log, facility_log

PERFORMERS: Mapping[str, Performer] = MappingProxyType(
    {
        "AuditEvent-billing-log": billing_log.billing_log,
        "AuditEvent-facility-log": facility_log.facility_log_of,
        "Consent-add-facility": adding.add_facility,
        "Consent-check-form": checking.check_form,
        "Consent-explain": explain,
        "Consent-form-queue": waiting.form_queue,
        "Consent-original-received": checking.original_received,
        "Consent-publish": publishing.publish,
        "Consent-resume": stopping.resume,
        "Consent-stop": stopping.stop,
        "Patient-access-report": access_report.access_report,
        "Patient-approve-erasure": erasure.approve_erasure,
        "Patient-ihe-pix": pix.ihe_pix,
        "Patient-link": operations.link,
        "Patient-match": match.match,
        "Patient-match-candidates": operations.match_candidates,
        "Patient-merge": operations.merge,
        "Patient-request-erasure": erasure.request_erasure,
        "Patient-undo": operations.undo,
        "Patient-unlink": operations.unlink,
        "QuestionnaireResponse-submit-consent": submitting.submit_consent,
        "Task-decide": operations.decide,
        "Task-sign-off": reviews.sign_off,
        "approve-disaster": disaster.approve_disaster,
        "close-disaster": disaster.close_disaster,
        "emergency-access": access.emergency_access,
        "end-emergency-access": access.end_emergency_access,
        "propose-disaster": disaster.propose_disaster,
    }
)
