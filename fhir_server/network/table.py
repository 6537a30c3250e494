"""Which function performs which operation of the network: OperationDefinition.id -> performer."""

from collections.abc import Mapping
from types import MappingProxyType

from fhir_server.network.consent_form import adding, checking, publishing, stopping, submitting, waiting
from fhir_server.network.desk import Performer
from fhir_server.network.matching import match, operations, pix

PERFORMERS: Mapping[str, Performer] = MappingProxyType(
    {
        "Consent-add-facility": adding.add_facility,
        "Consent-check-form": checking.check_form,
        "Consent-form-queue": waiting.form_queue,
        "Consent-original-received": checking.original_received,
        "Consent-publish": publishing.publish,
        "Consent-resume": stopping.resume,
        "Consent-stop": stopping.stop,
        "Patient-ihe-pix": pix.ihe_pix,
        "Patient-link": operations.link,
        "Patient-match": match.match,
        "Patient-match-candidates": operations.match_candidates,
        "Patient-merge": operations.merge,
        "Patient-undo": operations.undo,
        "Patient-unlink": operations.unlink,
        "QuestionnaireResponse-submit-consent": submitting.submit_consent,
        "Task-decide": operations.decide,
    }
)
