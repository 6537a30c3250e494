"""The image of the signed form: sent with the form, or stored by the facility before.

NETWORK.md F072, F073
"""

import binascii
from base64 import b64decode
from typing import Any, Final

from fhir_server.exchange import Resource
from fhir_server.network.consent_form.form import Form
from fhir_server.network.consent_form.records import document, scanned
from fhir_server.network.desk import Asked
from fhir_server.outcome import FhirError, Issue
from profiles import json

_BEGINNINGS: Final = {
    "application/pdf": (b"%PDF-",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/tiff": (b"II*\x00", b"MM\x00*"),
}
"""What a file of each kind begins with."""


async def kept(asked: Asked, id: str, form: Form, organization: str, at: str) -> tuple[str | None, list[Resource], Resource | None]:
    """Give where the signed form is (a DocumentReference), what to store of it, and the Attachment that takes the image's place.

    Raises FhirError (422) for an image that is none, or one that the requester has not stored or not for this patient.
    """
    if form.scan is None:
        return None, [], None
    place = form.block("method").where("scan")
    content_type = str(form.scan["contentType"])
    if "data" in form.scan:
        binary, attachment = scanned(id, content_type, _content(form.scan["data"], content_type, place))
        return f"DocumentReference/{id}", [document(id, form, organization, at, attachment), binary], attachment
    url = str(form.scan["url"])
    stored = await _stored(asked, url)
    if stored is None or _subject(stored) not in (form.subject, None):
        raise _refused("The image is neither sent nor stored here for this patient / 画像が見つかりません", place)
    if stored["resourceType"] == "DocumentReference":
        if _subject(stored) is None:
            raise _refused("The document names no patient / 文書に患者の記載がありません", place)
        return url, [], None
    attachment = {"contentType": content_type, "url": url}
    return f"DocumentReference/{id}", [document(id, form, organization, at, attachment)], None


async def _stored(asked: Asked, url: str) -> Resource | None:
    """Read what the requester may see and his facility has stored; nothing outside of this server is ever fetched."""
    type, _, id = url.partition("/")
    if type not in ("Binary", "DocumentReference") or not id or "/" in id:
        return None
    found = await asked.seen.get_several([url])
    if not found or found[0].body is None or found[0].custodian != asked.requester.organization:
        return None
    resource: Resource = json.decode(found[0].body)
    if type == "Binary" and _subject(resource) is None:
        return None
    return resource


def _subject(resource: Resource) -> str | None:
    """The patient that a document is about; of a Binary, that of its securityContext."""
    found: Any = resource.get("securityContext" if resource["resourceType"] == "Binary" else "subject", {}).get("reference")
    return found if isinstance(found, str) else None


def _content(data: Any, content_type: str, place: str) -> bytes:
    try:
        content = b64decode(data, validate=False)
    except (binascii.Error, ValueError, TypeError):
        raise _refused("The image is not written in base64 / 画像を読み取れません", place) from None
    if not content.startswith(_BEGINNINGS[content_type]):
        raise _refused(f"The image is no {content_type} / 画像の形式が異なります", place)
    return content


def _refused(text: str, place: str) -> FhirError:
    return FhirError(Issue("business-rule", text, (place,)))
