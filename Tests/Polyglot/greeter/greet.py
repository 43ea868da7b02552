# SPDX-License-Identifier: Apache-2.0
"""Run by test_greeter.py: calls the greeter twice, once without a name."""

import sys

generated, target = sys.argv[1:]
sys.path.insert(0, generated)

import grpc  # noqa: E402
from google.rpc import error_details_pb2  # noqa: E402
from greeter.v1.greeter_pb2 import GreetingError, GreetRequest, GreetResponse  # noqa: E402
from grpc_status import rpc_status  # noqa: E402

with grpc.insecure_channel(target) as channel:
    greet = channel.unary_unary(
        "/greeter.v1.Greeter/Greet", GreetRequest.SerializeToString, GreetResponse.FromString
    )
    print(greet(GreetRequest(name="Ada")).greeting)
    try:
        greet(GreetRequest(number=7))
    except grpc.RpcError as error:
        info, payload = error_details_pb2.ErrorInfo(), GreetingError.Nameless()
        for detail in rpc_status.from_call(error).details:
            detail.Unpack(info)
            detail.Unpack(payload)
        name = f"{info.domain}/{info.reason}"
        print(f"{error.code().name} {name}: {error.details()} (number {payload.number})")
