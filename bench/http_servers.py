"""Which HTTP server: uvicorn (uvloop and httptools, below our own supervisor) against granian.

    pip install granian && python bench/http_servers.py

Both serve the same ASGI application with two worker processes: it finds one stored document in MongoDB and passes its
bytes on, which is the least that a FHIR read does; with --without-database it only answers, which shows the servers
alone. 16 keep-alive connections ask over loopback. The runs alternate, so that a busy neighbour hurts both alike;
medians and the ratio are printed, and the processor time of the server's processes per request.
"""

import argparse
import asyncio
import importlib.util
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from bson import Binary
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import AsyncMongoClient, MongoClient

from fhir_server.command.listening import listen
from fhir_server.command.supervisor import Supervisor
from fhir_server.command.worker import serve
from fhir_server.store.embedded import Embedded, External, Options
from fhir_server.store.mongod import answers, free_port

WORKERS, CONNECTIONS, DOCUMENTS = 2, 16, 5000
RAW = CodecOptions(document_class=RawBSONDocument)
URI = "TSUNAGI_BENCH_URI"


def application():
    """Make the ASGI application; without an address in the environment it asks no database."""
    found = None

    async def app(scope, receive, send):
        nonlocal found
        if scope["type"] == "lifespan":
            await receive()
            if uri := os.environ.get(URI):
                client = AsyncMongoClient(uri)
                found = client["bench"].get_collection("resource", codec_options=RAW).find_one
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        document = await found({"_id": scope["path"][1:]}) if found else None
        body = document["b"] if document else BODY
        headers = [(b"content-type", b"application/fhir+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


BODY = b'{"resourceType":"Observation","note":"' + b"x" * 1000 + b'"}'
app = application()


def serve_uvicorn(port):
    """Be the uvicorn that is measured."""
    sockets = listen("127.0.0.1", port, WORKERS)
    Supervisor(lambda number, ready: serve(app, [sockets[number]], ready, 5), WORKERS, External(""), 5).run(lambda: None)


def command(server, port):
    """Give the command line that serves."""
    if server == "uvicorn":
        return [sys.executable, __file__, "--serve", str(port)]
    options = f"--interface asgi --loop uvloop --http 1 --no-ws --workers {WORKERS} --host 127.0.0.1 --port {port} --no-log"
    return [sys.executable, "-m", "granian", *options.split(), f"{Path(__file__).stem}:app"]


@contextmanager
def started(server):
    """Run a server; give its port and process id."""
    port = free_port()
    process = subprocess.Popen(command(server, port), cwd=Path(__file__).parent, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{server} does not start")
            time.sleep(0.1)
        time.sleep(1)
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def processor_seconds(pid):
    """Give the processor time of a process and its children."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        fields = rest.split()
        if int(name.split()[0]) == pid or int(fields[1]) == pid:
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


async def connection(port, end, times):
    """Ask one request after the other over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < end:
        began = time.perf_counter()
        writer.write(b"GET /%d HTTP/1.1\r\nhost: bench\r\n\r\n" % random.randrange(DOCUMENTS))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        times.append(time.perf_counter() - began)
    writer.close()


async def load(port, seconds):
    """Give the times of all requests of so many seconds."""
    times = []
    end = time.perf_counter() + seconds
    await asyncio.gather(*(connection(port, end, times) for _ in range(CONNECTIONS)))
    return times


def measure(server, seconds):
    """Measure one run: requests per second, median and 99th percentile in ms, processor ms per request."""
    with started(server) as (port, pid):
        asyncio.run(load(port, 1))
        before = processor_seconds(pid)
        times = sorted(asyncio.run(load(port, seconds)))
        spent = processor_seconds(pid) - before
    return len(times) / seconds, times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000, spent / len(times) * 1000


def fill(uri):
    """Store the documents."""
    with MongoClient(uri) as client:
        client.drop_database("bench")
        client["bench"]["resource"].insert_many({"_id": str(number), "b": Binary(BODY)} for number in range(DOCUMENTS))


def compare(title, runs, seconds):
    """Measure both in turn and print medians and ratios."""
    servers = ("uvicorn", "granian")
    figures = {server: [] for server in servers}
    for run in range(runs):
        for server in servers if run % 2 else reversed(servers):
            figures[server].append(measure(server, seconds))
    print(f"{title}: medians of {runs} runs of {seconds} s, {WORKERS} workers, {CONNECTIONS} connections")
    medians = {server: [statistics.median(column) for column in zip(*rows, strict=True)] for server, rows in figures.items()}
    for server, row in medians.items():
        print(f"  {server:8} {row[0]:7.0f} requests/s   p50 {row[1]:6.2f} ms   p99 {row[2]:6.2f} ms   {row[3]:.3f} processor ms a request")
    ratios = [one[0] / other[0] for one, other in zip(figures["granian"], figures["uvicorn"], strict=True)]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    print(
        f"  granian / uvicorn: {statistics.median(ratios):.2f} in requests/s ({spread}), {medians['granian'][3] / medians['uvicorn'][3]:.2f} in processor time"
    )


def main():
    """Compare the servers, with and without the database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--without-database", action="store_true")
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve_uvicorn(arguments.serve)
    elif not importlib.util.find_spec("granian"):
        raise SystemExit("granian is not installed: pip install granian")
    elif arguments.without_database:
        os.environ.pop(URI, None)
        compare("answering alone", arguments.runs, arguments.seconds)
    else:
        with tempfile.TemporaryDirectory() as directory, Embedded(Path(directory), "bench", Options(256, 16)) as database:
            fill(database.uri)
            os.environ[URI] = database.uri
            compare("one find_one passed on", arguments.runs, arguments.seconds)


if __name__ == "__main__":
    main()
