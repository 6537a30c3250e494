"""L08: administration at a port of its own, on real processes and sockets; no header makes one listener the other (S52, S53)."""

import asyncio
import http.client
import json
import socket
import ssl
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest

from fhir_server.app import open_registry
from fhir_server.auth.requester import Requester
from fhir_server.auth.roles import Role
from fhir_server.settings import Settings
from fhir_server.store.mongod import free_port
from tests.clients.running import serving
from tests.running.test_serving import Service, left_of
from tests.running.tls_server import server_certificate

SECRETARIAT = Requester("s1", "admin", Role.SECRETARIAT, "user/*.cruds", "Organization/network", fhir_user="Practitioner/s1")
ELSEWHERE = ("/fhir/metadata", "/fhir/Patient", "/fhir", "/auth/login", "/auth/token", "/auth/jwks", "/.well-known/openid-configuration")
OTHERS = (*ELSEWHERE, "/metrics", "/pki/ca", "/pki/enrol", "/viewer/launch.html", "/docs", "/openapi.json", "/", "/nowhere")
OURS = ("/admin/users", "/admin/clients", "/admin/certificates", "/admin/sessions")


@contextmanager
def listening(uri, database, folder, base, **more):
    """A server as an operator starts it, with a port for administration; gives both ports and a token of the secretariat."""
    admin_port = free_port()
    chosen = {"mongodb_uri": uri, "database": database, "base_url": base, "admin_port": str(admin_port), "access_log": "false", **more}
    with serving(folder, "-m", "fhir_server", "serve", until="Tsunagi serves", **chosen) as address:
        port = int(address.rpartition(":")[2].partition("/")[0])
        yield SimpleNamespace(port=port, admin_port=admin_port, token=asyncio.run(token(uri, database, base)))


async def token(uri, database, base):
    async with open_registry(Settings(database=database, base_url=base), uri) as registry:
        return await registry.identity.tokens.issue(SECRETARIAT, timedelta(minutes=5))


def ask(port, path, token=None, method="GET", context=None, **headers):
    """Ask at this port of this machine; every header as given."""
    kind = http.client.HTTPConnection if context is None else http.client.HTTPSConnection
    connection = kind("127.0.0.1", port, timeout=10, **({"context": context} if context else {}))
    try:
        connection.request(method, path, headers=({"Authorization": f"Bearer {token}"} if token else {}) | headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def server(mongodb_uri, worker_database, tmp_path_factory):
    connection, name = worker_database
    database = f"{name}_listeners"
    connection.drop_database(database)
    with listening(mongodb_uri, database, tmp_path_factory.mktemp("listeners"), "http://127.0.0.1:1/fhir") as started:
        yield started
    connection.drop_database(database)


@pytest.mark.parametrize("path", OURS)
def test_l08_administration_answers_at_its_own_port_only_and_to_the_secretariat_only(server, path):
    assert ask(server.admin_port, path, server.token)[0] == 200
    assert ask(server.admin_port, path)[0] == 401
    for token in (server.token, None):
        assert ask(server.port, path, token) == ask(server.port, "/nowhere", token) == (404, b'{"detail":"Not Found"}')


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_l08_no_method_reaches_administration_at_the_public_port(server, method):
    for path in (
        "/admin/users",
        "/admin/sessions?all=true",
        "/admin/users/s1/disable",
        "/admin",
        "/admin/",
        "/admin//users",
        "//admin/users",
    ):
        assert ask(server.port, path, server.token, method) == ask(server.port, "/nowhere", server.token, method)
    assert ask(server.port, "/fhir/metadata", server.token)[0] == 200  # and nobody's session ended


@pytest.mark.parametrize("path", OTHERS)
def test_l08_the_port_of_administration_answers_nothing_else(server, path):
    for method in ("GET", "POST"):
        assert ask(server.admin_port, path, server.token, method) == (404, b'{"detail":"Not Found"}')


def test_l08_both_ports_tell_of_the_servers_health(server):
    for port in (server.port, server.admin_port):
        assert ask(port, "/health/live")[0] == 200
        assert json.loads(ask(port, "/health/ready")[1]) == {"status": "ready"}


def test_s52_s53_no_header_makes_one_port_the_other(server):
    for port, other in ((server.port, server.admin_port), (server.admin_port, server.port)):
        spoofed = (
            {"Host": f"127.0.0.1:{other}"},
            {"X-Forwarded-Port": str(other), "X-Forwarded-Host": f"127.0.0.1:{other}", "X-Forwarded-For": "127.0.0.1"},
            {"Forwarded": f"for=127.0.0.1;host=127.0.0.1:{other}", "X-Forwarded-Prefix": "/admin", "X-Real-IP": "127.0.0.1"},
            {"X-Original-URL": "/admin/users", "X-Rewrite-URL": "/admin/users", "X-Forwarded-Server": f"127.0.0.1:{other}"},
        )
        for headers in spoofed:
            assert ask(port, "/admin/users", server.token, **headers)[0] == (404 if port == server.port else 200)
            assert ask(port, "/fhir/metadata", **headers)[0] == (200 if port == server.port else 404)


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{admin}/admin/users", "http://127.0.0.1:{admin}@127.0.0.1/admin/users", "/%61dmin/users", "/./admin/users",
        "/fhir/../admin/users", "/fhir/%2e%2e/admin/users", "/auth/static/../../admin/users", "/health/live/../../admin/users", "/ADMIN/users",
    ],
)  # fmt: skip
def test_s53_no_way_of_writing_the_address_reaches_administration_at_the_public_port(server, target):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as wire:
        request = f"GET {target.format(admin=server.admin_port)} HTTP/1.1\r\nHost: 127.0.0.1:{server.admin_port}\r\n"
        wire.sendall(f"{request}Authorization: Bearer {server.token}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.split(b" ")[1] in (b"400", b"401", b"403", b"404")


def test_l08_both_ports_speak_tls_where_the_server_does(mongodb_uri, fresh_database_name, tmp_path):
    certificate, key = server_certificate(tmp_path)
    files = {"tls_certificate": str(certificate), "tls_key": str(key)}
    with listening(mongodb_uri, fresh_database_name, tmp_path, "https://127.0.0.1:1/fhir", **files) as server:
        context = ssl.create_default_context(cafile=certificate)
        assert ask(server.port, "/fhir/metadata", context=context)[0] == 200
        assert ask(server.port, "/admin/users", server.token, context=context)[0] == 404
        assert ask(server.admin_port, "/admin/users", server.token, context=context)[0] == 200
        for port in (server.port, server.admin_port):
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                ask(port, "/health/live")


def test_all_processes_share_both_ports_and_stop_in_order(tmp_path):
    admin_port = free_port()
    service = Service(tmp_path / "data", workers=2, admin_port=admin_port).ready()
    try:
        for port in (service.port, admin_port):
            assert len({ask(port, "/pid")[1] for _ in range(60)}) == 2
    finally:
        assert service.stop() == 0
        service.process.stdout.close()
    assert left_of(tmp_path / "data") == []


def test_a_port_of_administration_that_is_in_use_is_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        service = Service(tmp_path / "data", workers=1, admin_port=taken)
        assert service.process.wait(30) == 2
        assert service.log.read_text() == f"port {taken} of 127.0.0.1 is in use by another program; choose another with admin_port\n"
        service.process.stdout.close()
