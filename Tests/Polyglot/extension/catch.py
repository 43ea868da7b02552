# SPDX-License-Identifier: Apache-2.0
"""Run by test_extension.py: a client in Python that catches an error which was just added."""

import sys

generated, target = sys.argv[1:]
sys.path.insert(0, generated)

import grpc  # noqa: E402
from grpc_status import rpc_status  # noqa: E402
from octollm.v1.errors_pb2 import ValidationError  # noqa: E402
from octollm.v1.orchestrator_pb2 import GetTaskRequest, TaskRecord  # noqa: E402

with grpc.insecure_channel(target) as channel:
    get_task = channel.unary_unary(
        "/octollm.v1.Orchestrator/GetTask", GetTaskRequest.SerializeToString, TaskRecord.FromString
    )
    try:
        get_task(GetTaskRequest(task_id="secret"))
        print("there was no error")
    except grpc.RpcError as error:
        payload = ValidationError.TaskEmbargoed()
        if any(detail.Unpack(payload) for detail in rpc_status.from_call(error).details):
            print(f"caught {payload.task_id} {payload.days}: {error.code().name} {error.details()}")
        else:
            print(f"caught as something else: {error}")
