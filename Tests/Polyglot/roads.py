# SPDX-License-Identifier: Apache-2.0
"""The roads to a server's methods: each protocol that reaches the same handlers on the same port."""

from connect_roads import Connect, ConnectGet, ConnectGetJSON, ConnectJSON
from grpc_roads import GRPC, GRPCJSON, GRPCWeb, GRPCWebText
from json_roads import REST, PlainJSON
from road import Road

ROADS: list[type[Road]] = [
    GRPC, GRPCJSON, GRPCWeb, GRPCWebText, Connect, ConnectJSON, ConnectGet, ConnectGetJSON, PlainJSON, REST,
]  # fmt: skip
