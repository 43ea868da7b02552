# SPDX-License-Identifier: Apache-2.0
"""Connections that do nothing: how much memory a server keeps for each."""

from __future__ import annotations

import resource
import socket
import time

from .servers import Server

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
SETTINGS_ACK = b"\0\0\0\4\1\0\0\0\0"


def allow_descriptors(wanted: int) -> int:
    """Raises the limit of this process and those it starts, as far as it may; the limit that holds then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (OSError, ValueError):
            wanted = hard
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def memory(server: Server, count: int) -> float:
    """KiB that each of so many connections takes in the server."""
    time.sleep(0.3)
    before = server.memory("VmRSS")
    connections = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", server.port), 10)
            connection.sendall(PREFACE)
            # The server's SETTINGS have come, so the connection is there.
            if not connection.recv(4096):
                raise SystemExit(f"bench: the server takes only {len(connections)} connections")
            connection.sendall(SETTINGS_ACK)
            connections.append(connection)
        time.sleep(1)
        return (server.memory("VmRSS") - before) / count
    finally:
        for connection in connections:
            connection.close()
