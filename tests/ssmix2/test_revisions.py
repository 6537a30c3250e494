"""Documents that change: newer versions, withdrawn ones, versions that come too late. What is said last holds."""

from datetime import timedelta

import pytest

from fhir_server.exchange import FhirRequest
from fhir_server.outcome import FhirError
from fhir_server.sandbox.facilities import HOSPITAL_B
from fhir_server.sandbox.hospital import history
from fhir_server.service import LOCAL
from mappers import file_name, mapping
from mappers.hl7v2.message import parse
from tests.ssmix2.imports import bytes_of, counted, of_type, state_of

FACILITY = mapping.Facility(HOSPITAL_B.code)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "storage"
    folder.mkdir()
    return folder


def files_of(kind):
    return [(path, data) for path, data in history(HOSPITAL_B, 10, 5, 300) if f"/{kind}/" in path]


def result_with_many_values():
    return max(files_of("OML-11"), key=lambda file: file[1].count(b"\rOBX|"))


def put(root, path, data):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(data)


def clear(root, path):
    (root / path).unlink()


def named(path, *, later=0, flag="1"):
    """The path of another version of the file: sent some minutes later, with another flag."""
    name = file_name.parse(path)
    time = f"{name.occurred + timedelta(minutes=later):%Y%m%d%H%M%S%f}"[:17]
    return path.replace(name.time, time)[:-1] + flag


def without_last(data, segment):
    start = data.rindex(b"\r" + segment + b"|") + 1
    end = data.index(b"\r", start) + 1
    return data[:start] + data[end:]


def references(path, data, type):
    mapped = mapping.map_message(parse(data), file_name.parse(path), FACILITY)
    return [reference for reference in mapped.home if reference.startswith(f"{type}/")]


async def status(service, reference):
    type, _, id = reference.partition("/")
    try:
        return (await service.perform(FhirRequest("read", type, id), LOCAL)).status
    except FhirError as error:
        return error.status


async def test_a_newer_version_that_drops_a_value_deletes_it_and_keeps_the_others(root, bring_in, service, stored):
    path, data = result_with_many_values()
    put(root, path, data)
    await bring_in(root)
    newer, fewer = named(path, later=25), without_last(data, b"OBX")
    (root / path).rename(root / named(path, flag="2"))
    put(root, newer, fewer)
    report = await bring_in(root)

    assert counted(report) == {"imported": 1, "past": 1}
    before, after = references(path, data, "Observation"), references(newer, fewer, "Observation")
    (dropped,) = set(before) - set(after)
    assert await status(service, dropped) == 410
    assert [await status(service, each) for each in after] == [200] * len(after)
    assert report.resources["deleted"] == 1
    assert report.resources["created"] == 0
    (provenance,) = of_type(state_of(stored), "Provenance")
    assert dropped not in {target["reference"] for target in provenance["target"]}


async def test_a_version_with_another_value_updates_its_resource_alone(root, bring_in, service, stored):
    path, data = result_with_many_values()
    put(root, path, data)
    await bring_in(root)
    lines = data.split(b"\r")
    at = next(number for number, line in enumerate(lines) if line.startswith(b"OBX|") and line.split(b"|")[2] == b"NM")
    fields = lines[at].split(b"|")
    lines[at] = b"|".join([*fields[:5], b"77.7", *fields[6:]])
    put(root, path, b"\r".join(lines))
    report = await bring_in(root)
    assert report.resources["updated"] == 2  # the value, and the Provenance with the file's digest
    assert report.resources["created"] == report.resources["deleted"] == 0
    assert [each["valueQuantity"]["value"] for each in of_type(state_of(stored), "Observation") if "valueQuantity" in each].count(77.7) == 1


async def test_an_older_version_that_comes_later_changes_nothing(root, bring_in, stored):
    older, data = files_of("OMP-01")[0]
    newer = named(older, later=25)
    put(root, newer, data)
    await bring_in(root)
    before = bytes_of(stored)
    clear(root, newer)
    put(root, older, without_last(data, b"RXE") if data.count(b"\rRXE|") > 1 else data.replace(b"\r", b"\r\n"))
    assert counted(await bring_in(root)) == {"past": 1}
    assert bytes_of(stored) == before


async def test_an_older_withdrawal_that_comes_later_changes_nothing(root, bring_in, stored):
    older, data = files_of("OMP-01")[0]
    newer = named(older, later=25)
    put(root, newer, data)
    await bring_in(root)
    before = bytes_of(stored)
    clear(root, newer)
    put(root, older[:-1] + "0", data)
    assert counted(await bring_in(root)) == {"past": 1}
    assert bytes_of(stored) == before


@pytest.mark.parametrize("kind", ["OMP-01", "OML-11", "ADT-12", "PPR-01", "ADT-00", "ADT-22", "ADT-52"])
async def test_a_document_that_is_renamed_to_deleted_disappears_with_its_provenance(root, bring_in, service, stored, kind):
    path, data = files_of(kind)[0]
    put(root, path, data)
    await bring_in(root)
    everything = state_of(stored)
    home = {each for each in everything if each.partition("/")[0] not in {"Organization", "Practitioner", "Location", "Patient"}}
    home |= set(references(path, data, "Patient"))
    assert any(each.startswith("Provenance/") for each in home)
    (root / path).rename(root / named(path, flag="0"))
    report = await bring_in(root)
    assert counted(report) == {"deleted": 1}
    assert report.resources["deleted"] == len(home)
    assert {await status(service, each) for each in home} == {410}
    assert set(state_of(stored)) == set(everything) - home

    before = bytes_of(stored)
    assert counted(await bring_in(root)) == {"past": 1}
    assert bytes_of(stored) == before


async def test_a_document_that_is_valid_again_comes_back(root, bring_in, stored):
    path, data = files_of("OMP-01")[0]
    put(root, path, data)
    await bring_in(root)
    everything = state_of(stored)
    (root / path).rename(root / named(path, flag="0"))
    await bring_in(root)
    (root / named(path, flag="0")).rename(root / path)
    assert counted(await bring_in(root)) == {"imported": 1}
    assert state_of(stored) == everything


async def test_deleted_and_superseded_files_that_were_never_imported_bring_nothing(root, bring_in, stored):
    for flag, (path, data) in zip("02", files_of("OMP-01")[:2], strict=True):
        put(root, named(path, flag=flag), data)
    assert counted(await bring_in(root)) == {"past": 2}
    assert state_of(stored) == {}


def cancellation(path, data):
    """The cancellation (A11) of an admission: the delete message that the storage keeps beside the renamed file."""
    return named(path, later=25, flag="0"), data.replace(b"ADT^A01^ADT_A01", b"ADT^A11^ADT_A09").replace(b"\rEVN|A01", b"\rEVN|A11")


async def test_a_cancelled_admission_is_the_same_whether_it_was_imported_before_or_not(root, bring_in, stored):
    path, data = files_of("ADT-22")[0]
    put(root, path, data)
    await bring_in(root)
    assert [each["status"] for each in of_type(state_of(stored), "Encounter")] == ["in-progress"]
    (root / path).rename(root / named(path, flag="0"))
    put(root, *cancellation(path, data))
    assert counted(await bring_in(root)) == {"deleted": 1, "past": 1}
    after = state_of(stored)
    assert [each["status"] for each in of_type(after, "Encounter")] == ["cancelled"]

    before = bytes_of(stored)
    assert counted(await bring_in(root)) == {"past": 2}
    assert bytes_of(stored) == before

    stored["resource"].delete_many({})
    await bring_in(root)
    assert state_of(stored) == after


async def test_a_storage_that_has_lived_ends_the_same_however_often_it_is_looked_at(root, bring_in, stored):
    files = list(history(HOSPITAL_B, 6, 11, 120, revisions=True))
    assert {path[-1] for path, _ in files} == {"0", "1", "2"}
    ordered = sorted(files, key=lambda file: file_name.parse(file[0]).time)
    for position, (path, data) in enumerate(ordered):  # as they were written: current first, then renamed
        current = path[:-1] + "1"
        put(root, current, data)
        if position % 40 == 39:
            await bring_in(root)
    await bring_in(root)
    for path, _ in files:
        if path[-1] != "1":
            (root / (path[:-1] + "1")).rename(root / path)
    await bring_in(root)
    lived = state_of(stored)
    stored["resource"].delete_many({})
    await bring_in(root)
    assert state_of(stored) == lived
