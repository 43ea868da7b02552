# SPDX-License-Identifier: Apache-2.0
"""Generated Python, exercised without pytest: test_python_versions.py runs this in other interpreters, and with other versions of
protobuf.

    python_check.py FOLDER TARGET

FOLDER has all that is generated; TARGET is a Swift server with Rehearsal. Prints how many errors went each way.
"""

import asyncio
import json
import platform
import sys
import urllib.error
import urllib.request
from typing import Any

sys.path[:0] = [sys.argv[1]]

import google.protobuf  # noqa: E402
import grpc  # noqa: E402
import grpc.aio  # noqa: E402
from google.protobuf.descriptor import FieldDescriptor  # noqa: E402
from google.protobuf.message import Message  # noqa: E402
from octollm.v1.orchestrator_pb2 import RaiseRequest  # noqa: E402
from python_servers import AsyncServer, PythonServer, ThreadedServer  # noqa: E402
from stub import REHEARSAL, Stub  # noqa: E402

import failures_taxon  # noqa: E402
from octollm.v1 import errors_taxon, reflex_taxon  # noqa: E402
from taxon import runtime  # noqa: E402
from taxon.runtime import payloads  # noqa: E402

Kind = type[runtime.DeclaredError]


def kinds(*modules: Any) -> list[Kind]:
    """The errors of modules."""
    every = [kind for module in modules for kind in vars(module).values()]
    return [kind for kind in every if isinstance(kind, type) and "declaration" in vars(kind)]


def sample(kind: type[Message]) -> Message:
    """A message with values in its fields."""
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        if field.message_type is not None:
            continue
        numbers = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
        value: Any = 1.5 if field.cpp_type in numbers else 1
        if field.type == FieldDescriptor.TYPE_STRING:
            value = f"größer {field.name}"
        elif field.type == FieldDescriptor.TYPE_BYTES:
            value = b"\xff\0"
        elif field.type == FieldDescriptor.TYPE_BOOL:
            value = True
        if payloads.is_repeated(field):
            getattr(message, field.name).extend([value, value])
        else:
            setattr(message, field.name, value)
    return message


def caught_by_threads(target: str, request: Message) -> runtime.TaxonomyError:
    with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            Stub(grpc.intercept_channel(channel, runtime.ErrorClientInterceptor()), REHEARSAL).Raise(request, timeout=20)
        except runtime.TaxonomyError as error:
            return error
    raise AssertionError("it did not fail")


def caught_by_asyncio(target: str, request: Message) -> runtime.TaxonomyError:
    async def call() -> runtime.TaxonomyError:
        async with grpc.aio.insecure_channel(target, interceptors=runtime.aio_client_interceptors()) as channel:
            try:
                await Stub(channel, REHEARSAL).Raise(request, timeout=20)
            except runtime.TaxonomyError as error:
                return error
        raise AssertionError("it did not fail")

    return asyncio.run(call())


def check_here(kind: Kind, server: PythonServer) -> None:
    """From a Python server to Python clients."""
    sent = kind.from_payload(sample(kind.declaration.payload))
    server.raises(sent)
    for caught in (caught_by_threads, caught_by_asyncio):
        error = caught(server.target, RaiseRequest())
        assert type(error) is kind, f"{kind} became {error!r}"
        assert isinstance(error, runtime.DeclaredError) and error.payload == sent.public_payload
        assert (error.message, error.metadata, error.to_dict()) == (sent.message, sent.metadata, sent.to_dict())


def check_there(kind: Kind, target: str) -> None:
    """From the Swift server."""
    facts = kind.declaration
    error = caught_by_threads(target, RaiseRequest(domain=facts.domain, code=facts.code))
    assert type(error) is kind
    body = json.dumps({"domain": facts.domain, "code": facts.code}).encode()
    post = urllib.request.Request(f"http://{target}/octollm.v1.Rehearsal/Raise", body, {"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(post, timeout=20)
    except urllib.error.HTTPError as answer:
        with answer:
            assert json.load(answer) == error.to_dict()


def main() -> None:
    own = kinds(errors_taxon, reflex_taxon)
    every = own + kinds(failures_taxon)
    passing = [(kind.declaration.domain, kind.declaration.code) for kind in every]
    for make in (ThreadedServer, AsyncServer):
        with make(passing=passing) as server:
            for kind in every:
                check_here(kind, server)
    for kind in own:
        check_there(kind, sys.argv[2])
    print(f"Python {platform.python_version()}, protobuf {google.protobuf.__version__}: {len(every)} and {len(own)} errors")


main()
