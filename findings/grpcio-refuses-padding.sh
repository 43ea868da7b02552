#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# grpcio takes no DATA frame with padding, which HTTP/2 allows every peer to send.
#
# Versions: grpcio 1.85.1 (gRPC's C core), h2 4.3.0 as the server.
# Behaviour: a reply whose DATA frame is padded (RFC 9113 §6.1) ends the call with INTERNAL; the same reply without padding
#   arrives. Known since 2017 (grpc/grpc issue 9779), closed as stale.
# Why it matters: a server or proxy that pads, as some do to hide the length of what they send, cannot be called by grpcio,
#   nor by what else has the C core. Taxon takes padding, and sends none.
# Seen on 2026-11-28:
#   without padding: b'pong'
#   with padding: StatusCode.INTERNAL Stream removed (unsupported data flags: 0x08 stream: 1)
#
# Exits with 1 when that has changed. Needs python3-venv; writes to a temporary folder alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.1 h2==4.3.0

cat >call.py <<'PYTHON'
import socket, sys, threading

import grpc
import h2.config, h2.connection, h2.events

def serve(listener, padding):
    peer, _ = listener.accept()
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    peer.sendall(connection.data_to_send())
    while data := peer.recv(65536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.StreamEnded):
                connection.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/grpc")])
                connection.send_data(event.stream_id, b"\0\0\0\0\4pong", pad_length=padding)
                connection.send_headers(event.stream_id, [("grpc-status", "0")], end_stream=True)
        peer.sendall(connection.data_to_send())

def call(padding):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener, padding), daemon=True).start()
        with grpc.insecure_channel(f"127.0.0.1:{listener.getsockname()[1]}") as channel:
            try:
                return repr(channel.unary_unary("/test.Service/Call")(b"ping", timeout=20))
            except grpc.RpcError as error:
                return f"{error.code()} {error.details()}"

plain, padded = call(None), call(10)
print("without padding:", plain)
print("with padding:", padded)
sys.exit(0 if plain == "b'pong'" and "unsupported data flags" in padded else 1)
PYTHON
GRPC_VERBOSITY=NONE venv/bin/python call.py
