"""`tsunagi audit`: an operator proves, keeps and prunes the log."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from pymongo import MongoClient

from fhir_server.__main__ import _parser
from fhir_server.app.store import connect
from fhir_server.audit.keys import open_pens
from fhir_server.audit.log import Log
from fhir_server.auth.sealing import Sealer
from fhir_server.command import CommandFailed
from fhir_server.settings import Settings, SettingsError, load
from fhir_server.store.audit_log import AuditStore
from fhir_server.store.records import Shelf

SECRET = "a secret of this test's own, long enough"


@pytest.fixture
def audit(mongodb_uri, database_name, tmp_path, monkeypatch, capsys):
    """Run `tsunagi audit ...`: gives the exit status and what was printed."""
    for name, value in (("MONGODB_URI", mongodb_uri), ("DATABASE", database_name), ("SECRET_KEY", SECRET)):
        monkeypatch.setenv(f"TSUNAGI_{name}", value)

    def run(*words: str) -> tuple[int, str]:
        given = ["audit", *words, "--data", str(tmp_path)]
        arguments = _parser(given).parse_args(given)
        capsys.readouterr()
        status = arguments.run(arguments)
        return status, capsys.readouterr().out

    return run


@pytest.fixture
def recorded(audit, mongodb_uri, database_name, happened):
    """Record events at given times, as a server does."""

    async def work(moments):
        mongo = await connect(Settings(database=database_name), mongodb_uri)
        try:
            store = AuditStore(mongo.database)
            await store.ensure()
            pens = await open_pens(Shelf(mongo.database), Sealer(SECRET.encode()), lambda: datetime.now(UTC))
            log = Log(store, pens, lambda: datetime.now(UTC))
            for moment in moments:
                await log.record(happened(at=round(moment.timestamp() * 1000)))
        finally:
            await mongo.close()

    return lambda *moments: asyncio.run(work(moments or (datetime.now(UTC),)))


@pytest.fixture
def batches(mongodb_uri, database_name):
    with MongoClient(mongodb_uri) as client:
        yield client[database_name]["audit"]


def test_l10_one_changed_byte_is_found_and_told_by_the_exit_status(audit, recorded, batches):
    recorded()
    status, printed = audit("verify")
    assert (status, "OK" in printed, "改変" not in printed) == (0, True, True)
    batches.update_one({}, {"$inc": {"z": 1}})
    status, printed = audit("verify")
    assert status == 1
    assert "NOT OK" in printed
    assert "/000000000001: changed" in printed
    assert "Patient/p1" not in printed


def test_s51_an_anchor_kept_elsewhere_shows_that_the_end_was_removed(audit, recorded, batches, tmp_path, mongodb_uri, database_name):
    with pytest.raises(CommandFailed, match="nothing has been recorded"):
        audit("anchor")
    recorded()
    copy = tmp_path / "anchor.json"
    assert audit("anchor", "--output", str(copy))[0] == 0
    assert json.loads(copy.read_bytes())["number"] == 1
    assert audit("anchor")[1] == copy.read_text()
    assert audit("verify", "--anchor", str(copy))[0] == 0
    batches.delete_many({})
    batches.database["audit_anchor"].delete_many({})
    assert audit("verify")[0] == 0
    assert audit("verify", "--anchor", str(copy))[0] == 1
    copy.write_text("{}")
    with pytest.raises(CommandFailed, match="no anchor"):
        audit("verify", "--anchor", str(copy))


def test_status_shows_how_far_it_has_come_and_the_public_key(audit, recorded):
    recorded()
    audit("anchor")
    printed = audit("status")[1]
    assert "Ed25519" in printed
    assert "1 (20" in printed
    assert "secret_key" in printed


def test_another_secret_opens_nothing(audit, recorded, monkeypatch):
    recorded()
    monkeypatch.setenv("TSUNAGI_SECRET_KEY", "another secret that is long enough")
    with pytest.raises(CommandFailed, match="secret_key"):
        audit("verify")


def test_l13_what_is_too_old_is_named_first_and_removed_only_on_demand(audit, recorded, batches):
    now = datetime.now(UTC)
    recorded(now.replace(year=now.year - 6, day=1), now.replace(year=now.year - 6, day=2), now)
    audit("anchor")
    assert "2 batches are from before" in audit("prune")[1]
    assert batches.count_documents({}) == 3
    assert "2 batches with 2 events" in audit("prune", "--yes")[1]
    assert batches.count_documents({}) == 1
    assert audit("verify")[0] == 0


@pytest.mark.parametrize("years", ["0", "-1", "x"])
def test_l13_less_than_a_year_is_refused_at_the_start(monkeypatch, tmp_path, years):
    monkeypatch.setenv("TSUNAGI_AUDIT_YEARS", years)
    with pytest.raises(SettingsError, match="audit_years"):
        load(data=tmp_path)


def test_l09_events_are_exported_as_audit_events_of_a_month(audit, recorded, tmp_path):
    recorded(datetime(2026, 2, 28, 14, 59, 59, tzinfo=UTC), datetime(2026, 2, 28, 15, tzinfo=UTC), datetime(2026, 3, 31, 15, tzinfo=UTC))
    file = tmp_path / "march.ndjson"
    assert "1 events" in audit("export", "--month", "2026-03", "--output", str(file))[1]
    (line,) = file.read_bytes().splitlines()
    assert json.loads(line)["recorded"] == "2026-02-28T15:00:00.000Z"
    audit("export", "--since", "2026-02-28", "--until", "2026-03-01", "--output", str(tmp_path / "days.ndjson"))
    assert len((tmp_path / "days.ndjson").read_bytes().splitlines()) == 2
    with pytest.raises(CommandFailed, match="written as"):
        audit("export", "--month", "March")
    with pytest.raises(CommandFailed, match="cannot be made"):
        audit("export", "--output", str(file))
