"""One hospital on this machine: the import of its SS-MIX2 storage, and its patients' records read back.

    make bench                                   the floor, then this
    python bench/hospital.py --files 20000       this alone; --keep leaves the data in var/bench

Everything runs as a user would run it: `tsunagi serve` with the embedded MongoDB, `tsunagi ssmix2 import` beside it, and
16 keep-alive connections reading. Every write is validated and acknowledged by the majority with the journal.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from credential import MINUTES, Credential
from rich import box
from rich.console import Console
from rich.table import Table

from fhir_server.sandbox.facilities import HOSPITAL_B
from fhir_server.sandbox.hospital import write_tree

FACILITY = HOSPITAL_B.code
CONNECTIONS = 16
RECORD = ("Encounter", "Condition", "MedicationRequest", "DiagnosticReport", "Specimen", "Observation")
TSUNAGI = Path(sys.executable).with_name("tsunagi")


def main() -> None:
    arguments = _arguments()
    place = Path("var/bench").resolve()
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        figures = measure(place, arguments)
    finally:
        if not arguments.keep:
            shutil.rmtree(place, ignore_errors=True)
    show(figures)
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")


def measure(place: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the hospital, import it twice, read it; give all figures."""
    tree, data = place / "storage", place / "data"
    made = write_tree(tree, HOSPITAL_B, max(20, arguments.files // 60), arguments.seed, files=arguments.files)
    figures: dict[str, Any] = {"files": made, "seed": arguments.seed, "load_at_start": os.getloadavg()}
    with serving(data) as (base, server):
        Credential.obtain(TSUNAGI, data, base, FACILITY)
        figures["import"] = run_import(tree / FACILITY, data, place / "first.json")
        figures["import_again"] = run_import(tree / FACILITY, data, place / "second.json")
        figures["reads"] = asyncio.run(read_records(base, arguments.seconds, arguments.seed))
        figures["server_memory_mb"] = round(sum(memory(pid) for pid in family(server.pid)) / 1e6)
    figures["disk_mb"] = round(sum(f.stat().st_size for f in (data / "mongodb").rglob("*.wt")) / 1e6, 1)
    return figures


@contextmanager
def serving(data: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run `tsunagi serve` on a free port until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command, environment = [TSUNAGI, "serve", "--port", str(port), "--data", data], os.environ | {"TSUNAGI_ACCESS_TIME": MINUTES}
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_ready(f"http://127.0.0.1:{port}/health/ready", server)
        yield f"http://127.0.0.1:{port}/fhir", server
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def wait_ready(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server does not become ready")


def run_import(tree: Path, data: Path, report: Path) -> dict[str, Any]:
    """Import the storage; give files/s, processor time per file and the memory (after a tenth, three tenths ... nine)."""
    before = os.times()
    command = [TSUNAGI, "ssmix2", "import", tree, "--facility", FACILITY, "--data", data, "--report", report]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    samples = []
    while process.poll() is None:
        samples.append(sum(memory(pid) for pid in family(process.pid)))
        time.sleep(0.25)
    after = os.times()
    if process.returncode != 0:
        raise SystemExit(f"the import ended with status {process.returncode}")
    told = json.loads(report.read_text())
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "files": told["files"],
        "resources": told["resources"],
        "seconds": told["seconds"],
        "files_per_s": round(told["files"] / told["seconds"], 1),
        "processor_ms_per_file": round(processor * 1000 / told["files"], 2),
        "memory_mb": [round(samples[len(samples) * tenth // 10] / 1e6) for tenth in (1, 3, 5, 7, 9)],
    }


async def read_records(base: str, seconds: float, seed: int) -> dict[str, Any]:
    """Read patients' records over 16 connections: one page of results, and the whole record in one batch."""
    patients = await asyncio.to_thread(patient_ids, base)
    rng = random.Random(seed)

    def results() -> bytes:
        return get(f"/fhir/Observation?patient=Patient/{rng.choice(patients)}&_sort=-date&_count=150")

    def record() -> bytes:
        id = rng.choice(patients)
        urls = [f"Patient/{id}", *(f"{type}?patient=Patient/{id}&_count=150" for type in RECORD)]
        return post(
            "/fhir", {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": url}} for url in urls]}
        )

    return {
        "results_150": await loop(base, results, seconds),
        "record_batch": await loop(base, record, seconds),
    }


def patient_ids(base: str) -> list[str]:
    with urllib.request.urlopen(Credential.request(f"{base}/Patient?_count=1000")) as answer:
        return [entry["resource"]["id"] for entry in json.load(answer)["entry"]]


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/fhir+json\r\n{Credential.line()}\r\n".encode()


def post(path: str, body: object) -> bytes:
    payload = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\nContent-Length: {len(payload)}\r\n"
    return f"{head}{Credential.line()}\r\n".encode() + payload


async def loop(base: str, make: Any, seconds: float) -> dict[str, float]:
    """Send requests over 16 connections, each when the last is answered; the first second is not counted."""
    host, port = base.split("/")[2].split(":")
    took: list[float] = []
    octets: list[int] = []
    start = time.perf_counter() + 1.0

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(host, int(port), limit=2**26)
        while (sent := time.perf_counter()) < start + seconds:
            writer.write(make())
            length = await answer(reader)
            if sent >= start:
                took.append(time.perf_counter() - sent)
                octets.append(length)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    took.sort()
    return {
        "per_s": round(len(took) / seconds, 1),
        "p50_ms": round(took[len(took) // 2] * 1000, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
        "kilobytes": round(statistics.mean(octets) / 1000, 1),
    }


async def answer(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if b" 200 " not in head[:16]:
        raise SystemExit(f"unexpected answer: {head[:60]!r}")
    length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
    await reader.readexactly(length)
    return length


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in family(int(child)))]


def memory(pid: int) -> int:
    """Proportional share of a process's memory in bytes (0 where it is gone); mongod is not counted."""
    try:
        if "mongod" in Path(f"/proc/{pid}/comm").read_text():
            return 0
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def show(figures: dict[str, Any]) -> None:
    table = Table(title=f"One hospital, {figures['files']:,} SS-MIX2 files", box=box.SIMPLE)
    for heading in ("what", "per second", "p50 ms", "p99 ms", "more"):
        table.add_column(heading, justify="left" if heading in {"what", "more"} else "right")
    for name, title in (("import", "import"), ("import_again", "the same import again")):
        row = figures[name]
        more = f"{row['processor_ms_per_file']} ms processor/file, memory {' '.join(map(str, row['memory_mb']))} MB"
        table.add_row(title, f"{row['files_per_s']:,}", "", "", more)
    for name, title in (("results_150", "a patient's results, newest 150"), ("record_batch", "a patient's record, 7 reads in a batch")):
        row = figures["reads"][name]
        table.add_row(title, f"{row['per_s']:,}", str(row["p50_ms"]), str(row["p99_ms"]), f"{row['kilobytes']} kB")
    Console().print(table)
    Console().print(
        f"disk {figures['disk_mb']} MB, server's memory {figures['server_memory_mb']} MB, load at start {figures['load_at_start'][0]:.1f}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000, help="size of the storage (default 20,000 files)")
    parser.add_argument("--seconds", type=float, default=8.0, help="length of each read loop")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave storage and database in var/bench")
    parser.add_argument("--out", type=Path, help="write the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
