"""The sockets that a server listens at: one for each worker, all at the same port (SO_REUSEPORT).

The kernel then gives each worker its share of the connections. With one socket that all workers accept from, the first
to wake takes most of them, and keep-alive connections stay where they are.
"""

import errno
import ipaddress
import socket

from fhir_server.command import CommandFailed

_BACKLOG = 1024


def listen(host: str, port: int, number: int, choice: str = "--port") -> list[socket.socket]:
    """Give `number` listening sockets; raise CommandFailed where the address cannot be used. `choice` is what another port is named by."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:  # without SO_REUSEPORT: fails where anybody listens
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
        return [_listening(family, address) for _ in range(number)]
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandFailed(f"port {port} of {host} is in use by another program; choose another with {choice}") from error
        raise CommandFailed(f"cannot listen at {host}, port {port}: {error.strerror}") from error


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listening(family: int, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind(address)
    listening.listen(_BACKLOG)
    return listening
