"""The roles of the network and of its facilities.

NETWORK.md F002-F008. A person's role at a facility is the code of a PractitionerRole, a facility's roles are types of its
Organization; a system's role is written in its registration.
"""

from enum import StrEnum
from typing import Final

ROLE_SYSTEM: Final = "urn:tsunagi:role"
FACILITY_ROLE_SYSTEM: Final = "urn:tsunagi:facility-role"
FACILITY_TYPE_SYSTEM: Final = "urn:tsunagi:facility-type"


class Role(StrEnum):
    """What somebody is to the network."""

    PHYSICIAN = "physician"
    PHARMACIST = "pharmacist"
    NURSE = "nurse"
    CLERK = "clerk"
    SECRETARIAT = "secretariat"
    AUDITOR = "auditor"
    PATIENT = "patient"
    UPLOADER = "uploader"
    SYSTEM = "system"
    TESTER = "tester"


OF_PEOPLE: Final = (Role.PHYSICIAN, Role.PHARMACIST, Role.NURSE, Role.CLERK, Role.SECRETARIAT, Role.AUDITOR, Role.PATIENT)
OF_SYSTEMS: Final = (Role.UPLOADER, Role.SYSTEM, Role.TESTER)

TITLES: Final = {
    Role.PHYSICIAN: ("医師", "physician"),
    Role.PHARMACIST: ("薬剤師", "pharmacist"),
    Role.NURSE: ("看護師", "nurse"),
    Role.CLERK: ("事務職員", "clerk"),
    Role.SECRETARIAT: ("事務局", "secretariat"),
    Role.AUDITOR: ("監査", "auditor"),
    Role.PATIENT: ("患者", "patient"),
    Role.UPLOADER: ("アップローダー", "uploader: writes, reads nothing"),
    Role.SYSTEM: ("医療機関システム", "a facility's own system, such as its EHR"),
    Role.TESTER: ("試験", "integration tester: everything, in a sandbox only"),
}


class FacilityRole(StrEnum):
    """What a facility is to the network (F004, F005)."""

    CORE = "core"
    PROVIDING = "providing"
    SHARING = "sharing"
    VIEWING = "viewing"
    REFERRING = "referring"
