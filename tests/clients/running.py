"""A server as a person starts it, a process of its own, for clients that others wrote."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

from fhir_server.store.mongod import free_port

SMALL_DEMO = """
import sys
from fhir_server.command import demo
demo.PATIENTS, demo.FILES = 12, 160
from fhir_server.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
ENOUGH = 60


@contextmanager
def serving(directory, *words, until, **settings):
    """Run the words as a command until they print `until`; give the base address, and end the process at the end."""
    port = free_port()
    known = {name: value for name, value in os.environ.items() if not name.startswith("TSUNAGI_")}
    environment = (
        known | {"TSUNAGI_MONGODB_CACHE": "256", "TSUNAGI_MONGODB_OPLOG": "16"} | {f"TSUNAGI_{k.upper()}": v for k, v in settings.items()}
    )
    with (directory / "errors").open("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, *words, "--port", str(port), "--data", str(directory / "data"), "--workers", "1"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            env=environment,
        )
        try:
            said = ""
            for line in process.stdout:
                said += line
                if until in line:
                    break
            else:
                errors.seek(0)
                raise AssertionError((said + errors.read())[-3000:])
            yield f"http://127.0.0.1:{port}/fhir"
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.close()
            try:
                process.wait(ENOUGH)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def demo(directory):
    """`tsunagi demo` with a hospital of a few patients."""
    return serving(directory, "-c", SMALL_DEMO, "demo", until="3. ")


def serve(directory, mongodb_uri, database, **more):
    """`tsunagi serve` on an empty database of the run's MongoDB, as a sandbox whose tokens last an hour."""
    settings = {"mongodb_uri": mongodb_uri, "database": database, "access_log": "false", "sandbox": "true", "access_time": "60", **more}
    return serving(directory, "-m", "fhir_server", "serve", until="Tsunagi serves", **settings)
