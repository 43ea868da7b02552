# SPDX-License-Identifier: Apache-2.0
"""The roads to a server's methods: each protocol that reaches the same handlers on the same port."""

from collections.abc import Callable

import pytest
from connect_roads import Connect, ConnectGet, ConnectGetJSON, ConnectJSON
from google.protobuf.descriptor import MethodDescriptor
from grpc_roads import GRPC, GRPCJSON, GRPCWeb, GRPCWebText
from http_wire import HTTP1, HTTP2
from json_roads import REST, PlainJSON
from road import Road

ROADS: list[type[Road]] = [
    GRPC, GRPCJSON, GRPCWeb, GRPCWebText, Connect, ConnectJSON, ConnectGet, ConnectGetJSON, PlainJSON, REST,
]  # fmt: skip


WIRES = [
    pytest.param((version, is_secure), id=version + " with TLS" * is_secure)
    for version in (HTTP1, HTTP2) for is_secure in (False, True)
]  # fmt: skip
"""Parameters for a fixture: the versions of HTTP, without TLS and with it."""


def over(*methods: MethodDescriptor, only: Callable[[type[Road]], bool] = lambda road: True) -> pytest.MarkDecorator:
    """Runs a test, whose fixture `road` makes them of their types, over the roads that carry one of the methods."""
    roads = [road for road in ROADS if only(road) and (not methods or any(map(road.carries, methods)))]
    return pytest.mark.parametrize("road", roads, indirect=True, ids=[road.name for road in roads])
