"""Whether the tracking page may have a port of this machine, and which one if not."""

from __future__ import annotations

import socket

from spinloom.errors import TrackingError


def check_port(host: str, port: int) -> None:
    """Raise `TrackingError` for a foreign address and, naming the next free one, for a taken port."""
    try:
        _bind(host, port)
    except OSError as error:
        if not _is_free(host, 0):
            raise TrackingError(f"--host is '{host}', which is no address of this machine; try 127.0.0.1.") from error
        free = next((str(other) for other in range(port + 1, 65536) if _is_free(host, other)), "NUMBER")
        raise TrackingError(
            f"Port {port} of {host} cannot be used: {error.strerror}. Take a free one: `spinloom ui --port {free}`."
        ) from error


def _is_free(host: str, port: int) -> bool:
    try:
        _bind(host, port)
    except OSError:
        return False
    return True


def _bind(host: str, port: int) -> None:
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)
