#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# HAProxy answers REFUSED_STREAM for a gRPC call that the server has processed.
#
# Versions: haproxy 2.6.12-1+deb12u4 (Debian 12), grpcio 1.85.1.
# Behaviour: a grpcio server ends a call with an error whose trailers have 20,000 bytes, more than HAProxy's buffer
#   (tune.bufsize, 16 KiB). HAProxy (`proto h2` on both sides, else default settings) ends the connection to the server with
#   GOAWAY INTERNAL_ERROR and resets the client's stream with REFUSED_STREAM (7). RFC 9113 §8.7 lets a client take that for
#   "not processed", and repeat any request; the handler has run, though.
# Why it matters: a client that repeats REFUSED_STREAM runs a call twice that is not idempotent. Taxon's repeats it for
#   idempotent methods alone, unless `RetryPolicy.repeatsRefusedStreams` says otherwise.
# Seen on 2026-11-28:
#   StatusCode.UNAVAILABLE Stream removed (RST_STREAM (Received RST_STREAM with error code 7))
#   the handler ran 1 time(s)
#
# Exits with 1 when that has changed. Needs Debian 12, apt and python3-venv; writes to a temporary folder alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check grpcio==1.85.1
apt-get download -qq haproxy=2.6.12-1+deb12u4 liblua5.3-0 >/dev/null 2>&1
for package in ./*.deb; do dpkg-deb --extract "$package" root; done

cat >call.py <<'PYTHON'
import os, socket, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

import grpc

runs = []

def handler(request, context):
    runs.append(request)
    context.set_trailing_metadata([("x-padding", "x" * 20_000)])
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no")

server = grpc.server(ThreadPoolExecutor(1))
method = grpc.unary_unary_rpc_method_handler(handler)
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Service", {"Call": method})])
upstream = server.add_insecure_port("127.0.0.1:0")
server.start()

# HAProxy takes the socket over, so that its port is free and connections wait for it.
listener = socket.create_server(("127.0.0.1", 0))
with open("haproxy.cfg", "w") as file:
    file.write(f"""
defaults
  mode http
  timeout connect 10s
  timeout client 10s
  timeout server 10s
frontend clients
  bind fd@{listener.fileno()} proto h2
  default_backend servers
backend servers
  server only 127.0.0.1:{upstream} proto h2
""")
environment = {**os.environ, "LD_LIBRARY_PATH": "root/usr/lib/x86_64-linux-gnu:root/usr/lib/aarch64-linux-gnu"}
proxy = subprocess.Popen(
    ["root/usr/sbin/haproxy", "-db", "-f", "haproxy.cfg"], pass_fds=[listener.fileno()], env=environment,
    stderr=subprocess.DEVNULL,
)
try:
    port = listener.getsockname()[1]
    options = [("grpc.enable_retries", 0), ("grpc.max_metadata_size", 1 << 20), ("grpc.absolute_max_metadata_size", 1 << 20)]
    with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        try:
            channel.unary_unary("/test.Service/Call")(b"", timeout=20)
            text = "OK"
        except grpc.RpcError as error:
            text = f"{error.code()} {error.details()}"
finally:
    proxy.terminate()
    proxy.wait()
    server.stop(None).wait()
print(text)
print(f"the handler ran {len(runs)} time(s)")
sys.exit(0 if "RST_STREAM with error code 7" in text and len(runs) == 1 else 1)
PYTHON
GRPC_VERBOSITY=NONE venv/bin/python call.py
