"""The ids that the mappers give a facility and its patients, for whoever makes them known before an import does.

An import creates the Organization only where it is absent: the one that `tsunagi facility add` wrote, which says more, stays.
"""

from mappers.mapping import Facility


def organization_id(code: str) -> str:
    """Give the id of the Organization of the facility with this 医療機関コード."""
    return Facility(code).id("Organization")


def patient_id(code: str, number: str) -> str:
    """Give the id of the Patient who has this number at this facility."""
    return Facility(code).id("Patient", number)
