"""What an operator sees of an import: lines or a bar while it runs, a table at its end."""

import io

import pytest

from fhir_server.ssmix2 import progress
from fhir_server.ssmix2.importer import ImportFailed, run
from fhir_server.ssmix2.report import REASONS_SHOWN, Changes, FileResult, Report
from tests.ssmix2.imports import hospital


class Silent:
    """A progress that shows nothing."""

    def start(self, total):
        self.total = total

    def advance(self, result):
        pass

    def stop(self):
        pass


def report_of(*results):
    report = Report(seconds=2.0)
    for result in results:
        report.add(result)
    return report


def told(report):
    stream = io.StringIO()
    progress.tell(report, stream)
    return stream.getvalue()


def test_the_report_counts_files_by_kind_and_resources_by_change():
    report = report_of(
        FileResult("a", "OML-11", "imported", Changes(created=3, updated=1)),
        FileResult("b", "OML-11", "unchanged", Changes(unchanged=4)),
        FileResult("c", "OMP-02", "unmapped"),
        FileResult("d", "ADT-00", "refused", segment="PID-3", reason="why"),
    )
    assert report.as_json() == {
        "files": 4,
        "seconds": 2.0,
        "kinds": {"ADT-00": {"refused": 1}, "OML-11": {"imported": 1, "unchanged": 1}, "OMP-02": {"unmapped": 1}},
        "resources": {"created": 3, "updated": 1, "unchanged": 4, "deleted": 0},
        "refused": [{"path": "d", "kind": "ADT-00", "segment": "PID-3", "reason": "why"}],
        "warnings": {},
    }


def test_the_table_is_printed_whole_where_no_terminal_is():
    text = told(report_of(FileResult("a", "OML-11", "imported", Changes(created=3)), FileResult("b", "OMP-02", "unmapped")))
    assert "OML-11" in text
    assert "OMP-02" in text
    assert "3 created" in text
    assert "2 files in 2.0 s (1 files/s), 0 refused" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 120


def test_a_path_is_printed_as_it_is_and_never_folded():
    path = "000/[bold]001[/bold]/" + "x" * 200
    text = told(report_of(FileResult(path, "?", "refused", segment="MSH", reason="[red]why[/red]")))
    assert f"refused {path} [MSH]: [red]why[/red]\n" in text


def test_only_the_first_refused_files_are_printed_and_the_report_has_all():
    report = report_of(*(FileResult(f"file-{number}", "?", "refused", reason="why") for number in range(REASONS_SHOWN + 5)))
    text = told(report)
    assert text.count(": why") == REASONS_SHOWN
    assert "and 5 more (--report FILE lists all)" in text
    assert len(report.as_json()["refused"]) == REASONS_SHOWN + 5


def test_warnings_are_counted_once_for_each_text():
    report = report_of(*(FileResult("a", "ADT-12", "imported", warnings=("PID-5: half-width kana",)) for _ in range(3)))
    assert "noticed 3 ×: PID-5: half-width kana" in told(report)


def test_where_no_terminal_is_a_line_tells_the_progress_now_and_then(monkeypatch):
    stream = io.StringIO()
    bar = progress.Bar(stream)
    bar.start(1000)
    now = progress.time.monotonic()
    monkeypatch.setattr(progress.time, "monotonic", lambda: now + progress.SECONDS_BETWEEN_LINES)
    for _ in range(500):
        bar.advance(None)
    bar.stop()
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().startswith("1 of 1,000 files")


def test_a_worker_that_fails_ends_the_import_with_its_reason(tmp_path):
    def work(pipe):
        raise ImportFailed("the database cannot be reached")

    with pytest.raises(ImportFailed, match="the database cannot be reached"):
        run(hospital(tmp_path, 2, 6), work, 1, Silent())


def test_a_worker_that_just_ends_ends_the_import(tmp_path):
    with pytest.raises(ImportFailed, match=r"ended unexpectedly \(exit code 0\); start the import again"):
        run(hospital(tmp_path, 2, 6), lambda pipe: None, 1, Silent())


def test_a_worker_that_ends_after_its_answer_ends_the_import(tmp_path):
    def work(pipe):
        pipe.recv()
        pipe.send([])

    with pytest.raises(ImportFailed, match="ended unexpectedly"):
        run(hospital(tmp_path, 20, 40), work, 1, Silent())


def test_every_folder_is_dealt_out_once(tmp_path):
    def work(pipe):
        while (folder := pipe.recv()) is not None:
            pipe.send([FileResult(folder, "ADT-00", "imported")])
            pipe.send([])

    root = hospital(tmp_path, 30, 60)
    report = run(root, work, 2, Silent())
    assert report.count("imported") == 30
