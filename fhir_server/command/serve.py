"""`tsunagi serve`: the FHIR API over MongoDB."""

import argparse
import logging
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from fhir_server import observability
from fhir_server.command import CommandFailed, tls
from fhir_server.command.database import open_for
from fhir_server.command.listening import is_loopback, listen
from fhir_server.command.supervisor import Supervisor
from fhir_server.observability import metrics
from fhir_server.settings import Settings, load
from fhir_server.store.embedded import Database

CreateApp = Callable[[Settings, str], Any]
"""Makes the ASGI application of one worker from the settings and MongoDB's address."""

Authorities = Callable[[Settings, str], bytes]
"""Gives the network's own certificate authorities (PEM), by a short connection to MongoDB."""

log = logging.getLogger(__name__)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal."""
    settings = load(host=arguments.host, port=arguments.port, data=arguments.data, workers=arguments.workers)
    observability.configure(settings.log_level, requests=settings.access_log)
    serve(settings, lambda: open_for(settings, "tsunagi serve"), lambda: print(_welcome(settings), flush=True))
    return 0


def fhir_application() -> CreateApp:
    """Load the application and all definitions, once for all workers."""
    from fhir_server import app  # noqa: PLC0415 - a second of work: after the port and the database are known to be ours

    app.preload()
    return app.create_app


def network_authorities(settings: Settings, uri: str) -> bytes:
    """Read the network's certificate authorities, as a worker begins."""
    import asyncio  # noqa: PLC0415 - the parent needs none

    from fhir_server import app  # noqa: PLC0415

    return asyncio.run(app.client_authorities(settings, uri))


def serve(
    settings: Settings,
    open_: Callable[[], Database],
    on_ready: Callable[[], None],
    application: Callable[[], CreateApp] = fhir_application,
    authorities: Authorities = network_authorities,
) -> None:
    """Serve over the database that `open_` gives until a signal, and stop both."""
    _check(settings)
    sockets = _listening(settings)
    _warn(settings)
    try:
        with open_() as database:
            metrics.start(settings.data / "metrics")
            create_app = application()

            def work(number: int, ready: Callable[[], None]) -> None:
                from fhir_server.command import worker  # noqa: PLC0415 - the parent needs no event loop

                for others in sockets[:number] + sockets[number + 1 :]:
                    _close(others)
                spoken = _tls(settings, database.uri, authorities)
                worker.serve(create_app(settings, database.uri), sockets[number], ready, settings.stop_time, spoken)

            Supervisor(work, len(sockets), database, settings.stop_time).run(on_ready)
    finally:
        metrics.stop()
        for own in sockets:
            _close(own)


def _listening(settings: Settings) -> list[list[socket.socket]]:
    """Give each worker its sockets: one for everything and, where administration has a port of its own, one for that."""
    number = settings.worker_processes
    opened = listen(settings.host, settings.port, number)
    if not settings.admin_port:
        return [[each] for each in opened]
    try:
        administration = listen(settings.admin_host, settings.admin_port, number, "admin_port")
    except CommandFailed:
        _close(opened)
        raise
    return [list(each) for each in zip(opened, administration, strict=True)]


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()


def _check(settings: Settings) -> None:
    """Refuse files that no worker could use, before anything is started."""
    spoken = tls.from_settings(settings)
    if spoken is not None:
        tls.context(replace(spoken, clients="off"))


def _tls(settings: Settings, uri: str, authorities: Authorities) -> tls.Tls | None:
    asks = settings.tls_certificate is not None and settings.tls_client_certificates != "off" and settings.tls_client_ca is None
    return tls.from_settings(settings, authorities(settings, uri) if asks else b"")


def _warn(settings: Settings) -> None:
    """Say where passwords and tokens would travel unencrypted: neither this server speaks TLS nor, by its address, a proxy before it."""
    hosts = (settings.host, settings.admin_host) if settings.admin_port else (settings.host,)
    exposed = " ".join(each for each in hosts if not is_loopback(each))
    if not exposed or settings.tls_certificate is not None or settings.base.startswith("https://"):
        return
    text = "ATTENTION: passwords, tokens and patients' data travel to and from %s unencrypted; set tls_certificate and tls_key"
    log.warning(text, exposed)
    print(f"*** {text % exposed} / 警告: 通信が暗号化されていません。TLS を設定してください ***", file=sys.stderr)


def _welcome(settings: Settings) -> str:
    told = f"Tsunagi serves {settings.base} with {settings.worker_processes} processes; Ctrl-C ends it. 起動しました (Ctrl-C で終了)。"
    if not settings.admin_port:
        return told
    return f"Administration at {settings.admin_host}, port {settings.admin_port}, only. 管理機能はこのポートのみで利用できます。\n{told}"


def add_arguments(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    parser = subparsers.add_parser(
        "serve",
        help="serve the FHIR API / FHIR API を提供する",
        description="Serve the FHIR R4 API until Ctrl-C. Without TSUNAGI_MONGODB_URI it runs its own MongoDB in DIR/mongodb.",
        epilog="example: tsunagi serve --port 8081 --data /srv/tsunagi --workers 4",
    )
    add_serving_arguments(parser)
    parser.add_argument("--host", metavar="H", help="address to listen at (default 127.0.0.1: this machine only)")
    parser.set_defaults(run=run)


def add_serving_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe what every serving command takes."""
    parser.add_argument("--port", metavar="N", help="TCP port (default 8080)")
    parser.add_argument("--data", metavar="DIR", type=Path, help="directory of all data (default ./var)")
    parser.add_argument("--workers", metavar="N", help="processes (default: one for each processor core)")
