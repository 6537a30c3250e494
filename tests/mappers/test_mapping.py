"""What holds for messages of every kind: ids, ownership, deletion, provenance, refusal."""

import re

import pytest

from mappers import file_name
from mappers.hl7v2.message import parse
from mappers.mapping import KINDS, Facility, MessageError, complete, deletion, map_message, provenance_id
from profiles.definitions import r4
from profiles.validator import Validator
from terminology.service import r4 as terminology
from tests.mappers.every_kind import EVERY_KIND, FIRST_MEDICINE
from tests.mappers.synthetic import HOSPITAL, PATIENT, PID, lab, mapped, message, path, prescription, record_card, resources, warnings

every_kind = pytest.mark.parametrize("kind", sorted(KINDS))
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def references(value):
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


@every_kind
def test_a_file_mapped_twice_gives_the_same(kind):
    assert EVERY_KIND[kind]() == EVERY_KIND[kind]()


@every_kind
def test_every_resource_is_valid_r4(kind):
    validator = Validator(r4(), terminology())
    for entry in complete(EVERY_KIND[kind](), []).bundle["entry"]:
        assert validator.validate(entry["resource"]) == []


@every_kind
def test_every_id_is_a_uuid_and_every_reference_leads_to_an_entry(kind):
    entries = complete(EVERY_KIND[kind](), []).bundle["entry"]
    urls = {entry["request"]["url"] for entry in entries}
    assert len(urls) == len(entries)
    for entry in entries:
        resource = entry["resource"]
        assert entry["request"]["url"] == f"{resource['resourceType']}/{resource['id']}"
        assert UUID.fullmatch(resource["id"])
        assert set(references(resource)) <= urls


@every_kind
def test_home_resources_name_their_source_and_shared_ones_are_only_created(kind):
    result = complete(EVERY_KIND[kind](), [])
    for entry in result.bundle["entry"]:
        own = entry["request"]["url"] in result.home or entry["request"]["url"].startswith("Encounter/")
        assert ("ifNoneMatch" in entry["request"]) == (not own)
        assert ("source" in entry["resource"].get("meta", {})) == own


@every_kind
def test_a_file_flagged_as_deleted_deletes_what_it_would_have_written(kind):
    current, deleted = EVERY_KIND[kind](), EVERY_KIND[kind](flag="0")
    assert [entry["request"] for entry in deleted.bundle["entry"]] == [{"method": "DELETE", "url": url} for url in current.home]
    assert deleted.home == ()
    assert complete(deleted, []).bundle == deletion(current).bundle
    assert EVERY_KIND[kind](flag="2").home == current.home


@every_kind
def test_every_version_of_a_document_has_the_same_key_and_ids(kind):
    earlier, later = EVERY_KIND[kind](time="20240510160000000"), EVERY_KIND[kind](time="20240511170000000")
    assert (earlier.document, earlier.home) == (later.document, later.home)


@every_kind
def test_provenance_says_from_which_file_and_by_whom(kind):
    result = complete(EVERY_KIND[kind](), [])
    provenance, organization = resources(result, "Provenance")[0], resources(result, "Organization")[0]
    assert provenance["recorded"] == "2024-05-10T16:00:00.000+09:00"
    assert provenance["agent"][0]["who"] == {"reference": f"Organization/{organization['id']}"}
    assert provenance["entity"][0]["what"]["identifier"]["value"].startswith(f"3712345678/000/000/{PATIENT}/")
    told = {target["reference"] for target in provenance["target"] if "reference" in target}
    assert told >= set(result.home) - {f"Provenance/{provenance['id']}"}


@every_kind
def test_two_hospitals_never_share_an_id(kind):
    here, there = (EVERY_KIND[kind](facility=Facility(code)) for code in ("3712345678", "3712345679"))
    assert not {entry["request"]["url"] for entry in here.bundle["entry"]} & {entry["request"]["url"] for entry in there.bundle["entry"]}


@every_kind
def test_no_issue_repeats_what_the_message_says_of_the_patient(kind):
    result = EVERY_KIND[kind](pid=PID.replace("繋木^結^^^^^L^I", "繋木^結^^^^L^I").replace("|19600229|F|", "|いつか|？|"))
    words = " ".join(f"{issue.segment} {issue.field} {issue.text}" for issue in result.issues)
    assert not re.search(f"繋木|ツナギ|いつか|番町|087|{PATIENT}", words)


@every_kind
def test_a_message_about_another_patient_is_refused(kind):
    with pytest.raises(MessageError) as caught:
        EVERY_KIND[kind](pid=PID.replace(PATIENT, "0000000043"))
    assert (caught.value.segment, caught.value.field) == ("PID", "PID-3")
    assert "000000004" not in str(caught.value)


@every_kind
def test_a_message_of_another_kind_is_refused(kind):
    with pytest.raises(MessageError) as caught:
        EVERY_KIND[kind](event="ORU^R01^ORU_R01")
    assert caught.value.field == "MSH-9"


def test_a_truncated_message_is_refused():
    with pytest.raises(MessageError) as caught:
        mapped("OML-11", pid="EVN||20240510")
    assert caught.value.segment == "PID"


def test_a_kind_that_is_not_mapped_is_refused_by_name():
    name = file_name.parse(path("OMP-02"))
    with pytest.raises(MessageError, match="OMP-02"):
        map_message(parse(message("OMP-01")), name, Facility("1"))


def test_a_stub_and_the_record_card_speak_of_one_patient():
    stub, full = resources(lab("OBX|1|NM|1^x^99X01||7||||||F"), "Patient")[0], resources(record_card(), "Patient")[0]
    assert stub["id"] == full["id"]


def test_a_doctor_and_a_ward_are_the_same_whichever_message_names_them():
    from_lab = resources(lab("OBX|1|NM|1^x^99X01||7||||||F"), "Practitioner")[0]
    visit = EVERY_KIND["ADT-12"]()
    assert from_lab == resources(visit, "Practitioner")[0]
    assert resources(visit, "Location") == resources(EVERY_KIND["ADT-12"](time="20250101000000000"), "Location")


def test_a_medicine_that_a_new_version_drops_is_missing_from_home():
    both = EVERY_KIND["OMP-01"]()
    one = prescription(*FIRST_MEDICINE, order="000000000000777")
    gone = set(both.home) - set(one.home)
    assert [reference.partition("/")[0] for reference in gone] == ["MedicationRequest"]


def test_a_day_that_differs_from_its_field_is_a_warning():
    result = lab("OBX|1|NM|1^x^99X01||7||||||F", day="20240509")
    assert "SPM-17" in {field for field, _ in warnings(result)}


def test_what_careless_senders_do_to_lines_is_a_warning_for_the_whole_file():
    result = record_card(end="\n")
    assert warnings(result) == [("", "segments end with LF or CRLF instead of CR")]
    assert result.bundle == record_card().bundle


def test_fields_and_segments_that_are_left_out_are_accounted_for():
    result = lab("OBX|1|NM|1^x^99X01||7||||||F||||||110", "ZZZ|1")
    told = {issue.field or issue.segment: issue.text for issue in result.issues if issue.severity == "information"}
    assert {"OBX-17", "PV1", "ZZZ"} <= told.keys()
    assert "JLAC10" in told["OBX-17"]


def test_a_message_that_says_nothing_is_refused_and_not_forgotten():
    with pytest.raises(MessageError, match="nothing"):
        mapped("PPR-01", "PRB|AD|20240501")


@every_kind
def test_the_provenance_of_a_document_is_found_without_mapping_it(kind):
    result = EVERY_KIND[kind]()
    name = file_name.parse(path(kind, order=result.document.rpartition("_")[2]))
    assert provenance_id(name, HOSPITAL) == resources(result, "Provenance")[0]["id"]
