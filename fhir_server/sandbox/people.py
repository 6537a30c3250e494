"""The people and clients of the standard fixture as a sandbox needs them: who logs in, with which password, as what.

Passwords and secrets are known to everybody who reads this: they exist only where `tsunagi demo` makes a sandbox of made-up
data, and stand in no other database.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from fhir_server.auth import members
from fhir_server.auth.clients import AuthenticationMethod
from fhir_server.auth.members import FacilityType, Post
from fhir_server.auth.registrations import OF_APPS, Draft
from fhir_server.auth.roles import FacilityRole, Role
from fhir_server.sandbox.facilities import CLINIC_A, FACILITIES, HOSPITAL_B, HOSPITAL_D, PHARMACY_C, Facility
from fhir_server.sandbox.names import Name
from fhir_server.sandbox.network import BY_KEY, USERS, User

PASSWORD: Final = "Vq7-hako-zebu-41"  # noqa: S105 - of made-up people, printed by the demo
TESTER: Final = "tester"
KEYED: Final = "ehr-b-key"
"""The client whose keys are made where the sandbox is: nobody else has its private one."""

POSTMAN: Final = "postman"
CALLBACK: Final = "https://oauth.pstmn.io/v1/callback"
"""Where Postman has people sent to who log in for it."""

IMPORTED: Final = (HOSPITAL_B, CLINIC_A, PHARMACY_C)
"""The facilities whose storages a sandbox imports."""

_EVERYTHING: Final = "openid fhirUser offline_access user/*.cruds patient/*.cruds"
_SINCE: Final = date(2025, 4, 1)
_ROLES: Final = {"doctor": Role.PHYSICIAN}
_PLACE: Final = {"state": "香川県", "city": "高松市"}
"""Where every facility of the fixture is: what a disaster's area is named by."""
_MORE: Final = (
    User("A2", Name("診療", "六実", "シンリョウ", "ムツミ"), "physician", (CLINIC_A.code,)),
    User("B1", Name("循環", "四郎", "ジュンカン", "シロウ"), "physician", (HOSPITAL_B.code,)),
    User("D1", Name("救急", "五郎", "キュウキュウ", "ゴロウ"), "physician", (HOSPITAL_D.code,)),
    User("N1", Name("看護", "和子", "カンゴ", "カズコ"), "nurse", (HOSPITAL_B.code,)),
    User("K1", Name("受付", "千代", "ウケツケ", "チヨ"), "clerk", (HOSPITAL_B.code,)),
)

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who logs in: `role` at each of `facilities` (their codes); `patient` is facility and number of a patient."""

    id: str
    name: str
    kana: str
    role: Role
    facilities: tuple[str, ...] = ()
    patient: tuple[str, str] | None = None


def logins() -> tuple[Login, ...]:
    """Give everybody who logs in to a sandbox."""
    return tuple(_login(user) for user in (*USERS, *_MORE))


def resources(organization_id: Callable[[str], str]) -> list[Resource]:
    """Give the Organizations, Practitioners and PractitionerRoles of the fixture; an organization's id follows from its code."""
    organizations = [_organization(facility, organization_id(facility.code)) for facility in FACILITIES]
    people = [resource for login in logins() if login.patient is None for resource in _person(login, organization_id)]
    return [members.network(), *organizations, *people]


def fhir_user(login: Login, patient_id: Callable[[str, str], str]) -> str:
    """Give whom an account belongs to: "Practitioner/1", or "Patient/1" of facility and number."""
    if login.patient is not None:
        return f"Patient/{patient_id(*login.patient)}"
    return f"Practitioner/{members.person_id(login.id)}"


def clients(issuer: str) -> tuple[Draft, ...]:
    """Give the clients of a sandbox at this address; the secret of each that has one is `secret_of` its id."""
    basic: AuthenticationMethod = "client_secret_basic"
    return (
        Draft(
            id="viewer",
            name="Tsunagi ビューア / Tsunagi viewer",
            method="none",
            scope=OF_APPS,
            redirect_uris=(f"{issuer}/viewer/",),
            launch_uri=f"{issuer}/viewer/launch.html",
        ),
        Draft(id=POSTMAN, name="Postman", method="none", scope=_EVERYTHING, redirect_uris=(CALLBACK,)),
        Draft(id="ehr-b", name="病院Ｂ 電子カルテ / EHR of hospital B", method=basic, role=Role.SYSTEM, facility=HOSPITAL_B.code),
        Draft(
            id=KEYED,
            name="病院Ｂ 部門システム / system of hospital B",
            method="private_key_jwt",
            role=Role.SYSTEM,
            facility=HOSPITAL_B.code,
        ),
        Draft(id="uploader-b", name="病院Ｂ アップローダー / uploader", method=basic, role=Role.UPLOADER, facility=HOSPITAL_B.code),
        Draft(id="uploader-a", name="診療所Ａ アップローダー / uploader", method=basic, role=Role.UPLOADER, facility=CLINIC_A.code),
        Draft(id="uploader-c", name="薬局Ｃ アップローダー / uploader", method=basic, role=Role.UPLOADER, facility=PHARMACY_C.code),
        Draft(id=TESTER, name="試験 / integration tester", method=basic, role=Role.TESTER),
        Draft(id="launcher", name="電子カルテの代わり / stand-in for an EHR", method=basic, launches=True),
    )


def secret_of(client: str) -> str:
    """Give the secret of a sandbox's client."""
    return f"sandbox-secret-of-{client}"


def _login(user: User) -> Login:
    role = _ROLES.get(user.role) or Role(user.role)
    patient = (HOSPITAL_B.code, BY_KEY[user.patient].numbers[HOSPITAL_B.code]) if user.patient is not None else None
    name, kana = f"{user.name.family} {user.name.given}", f"{user.name.family_kana} {user.name.given_kana}"
    return Login(user.key.lower(), name, kana, role, user.facilities, patient)


def _person(login: Login, organization_id: Callable[[str], str]) -> list[Resource]:
    person = members.practitioner(login.id, login.name, login.kana, None)
    places = [f"Organization/{organization_id(code)}" for code in login.facilities] or [members.NETWORK]
    roles = [members.practitioner_role(login.id, f"Practitioner/{person['id']}", Post(login.role, place), _SINCE) for place in places]
    return [person, *roles]


def _organization(facility: Facility, id: str) -> Resource:
    roles = [FacilityRole(role) for role in facility.roles]
    resource = members.organization(
        id, facility.code, name=facility.name, kana=facility.kana, type=FacilityType(facility.type), roles=roles
    )
    return {
        **resource,
        "active": facility.active,
        "telecom": [
            {"system": "phone", "value": facility.phone, "use": "work"},
            {"system": "email", "value": f"office@f{facility.code}.example", "use": "work"},
        ],
        "address": [
            {"text": f"〒{facility.postal_code} {facility.address}", **_PLACE, "postalCode": facility.postal_code, "country": "JP"}
        ],
    }
