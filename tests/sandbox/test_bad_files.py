"""Faulty files: an importer must refuse some and read others with a warning."""

import pytest

from fhir_server.sandbox import bad
from fhir_server.sandbox.facilities import FACILITIES, HOSPITAL_B
from fhir_server.sandbox.hospital import history
from mappers import file_name
from mappers.hl7v2 import message
from mappers.mapping import KINDS, Facility, map_message


def mapped(path, data, facility=HOSPITAL_B):
    return map_message(message.parse(data), file_name.parse(path), Facility(facility.code, facility.name))


@pytest.mark.parametrize("faulty", bad.refused(), ids=lambda faulty: faulty.reason)
def test_a_file_beyond_trust_is_refused(faulty):
    with pytest.raises((message.MessageError, file_name.FileNameError)):
        mapped(faulty.name, faulty.data)


@pytest.mark.parametrize("careless", bad.careless(), ids=lambda careless: careless.reason)
def test_a_careless_file_is_read_and_something_is_said(careless):
    found = mapped(careless.name, careless.data)
    regular = mapped(*next((path, data) for path, data in history(HOSPITAL_B, 1, 0) if "/ADT-12/" in path))
    assert len(found.issues) > len(regular.issues)
    assert len(found.bundle["entry"]) == len(regular.bundle["entry"])


def test_every_faulty_file_has_a_name_of_its_own_and_says_why():
    files = [*bad.refused(), *bad.careless()]
    assert len({file.name for file in files}) == len(files)
    assert all(file.reason for file in files)


def test_faulty_files_are_always_the_same():
    assert bad.refused() == bad.refused()


@pytest.mark.parametrize("facility", FACILITIES, ids=lambda f: f.name)
def test_every_good_file_is_mapped_and_nothing_worse_than_information_is_said(facility):
    kinds = set()
    for path, data in history(facility, 25, 3, revisions=True):
        found = mapped(path, data, facility)
        assert {issue.severity for issue in found.issues} <= {"information"}, (path, found.issues)
        kinds.add(path.split("/")[4])
    assert kinds <= KINDS
