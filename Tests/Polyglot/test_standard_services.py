# SPDX-License-Identifier: Apache-2.0
"""Health and reflection of `octollm serve`, asked by the clients that go with them: grpcio's, and `buf curl`."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from octollm.v1.errors_pb2 import ValidationError
from octollm.v1.orchestrator_pb2 import RaiseRequest
from octollm_process import PATIENCE, Server
from schema import declared

SERVICES = {
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "octollm.v1.Orchestrator",
    "octollm.v1.Rehearsal",
    "octollm.v1.Reflex",
}

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def status_of(call: Callable[[], object]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code()


class TestHealth:
    @pytest.mark.parametrize("service", ["", "octollm.v1.Orchestrator", "octollm.v1.Reflex"])
    def test_services_are_checked(self, server: Server, service: str) -> None:
        stub = health_pb2_grpc.HealthStub(server.channel)
        request = health_pb2.HealthCheckRequest(service=service)
        assert stub.Check(request, timeout=PATIENCE).status == SERVING

    def test_a_service_that_there_is_not_is_not_found(self, server: Server) -> None:
        stub = health_pb2_grpc.HealthStub(server.channel)
        request = health_pb2.HealthCheckRequest(service="octollm.v1.Nobody")
        assert status_of(lambda: stub.Check(request, timeout=PATIENCE)) == grpc.StatusCode.NOT_FOUND

    def test_all_services_are_listed(self, server: Server) -> None:
        answer = health_pb2_grpc.HealthStub(server.channel).List(health_pb2.HealthListRequest(), timeout=PATIENCE)
        assert {name: status.status for name, status in answer.statuses.items()} == {
            "": SERVING, "octollm.v1.Orchestrator": SERVING, "octollm.v1.Reflex": SERVING,
        }  # fmt: skip

    def test_watchers_are_told_of_the_shutdown_and_do_not_hold_it(self, serve: Callable[..., Server]) -> None:
        server = serve()
        stub = health_pb2_grpc.HealthStub(server.channel)
        known = [
            stub.Watch(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)
            for service in ["", "octollm.v1.Orchestrator", "octollm.v1.Orchestrator"]
        ]
        unknown = stub.Watch(health_pb2.HealthCheckRequest(service="octollm.v1.Nobody"), timeout=PATIENCE)
        assert [next(watch).status for watch in known] == [SERVING] * 3
        assert next(unknown).status == SERVICE_UNKNOWN
        server.terminate()
        assert [[response.status for response in watch] for watch in known] == [[NOT_SERVING]] * 3
        assert list(unknown) == []
        # The grace period of 30 seconds is as long as the patience.
        assert server.wait() == 0


class TestReflection:
    """grpcio's client speaks v1alpha."""

    @pytest.fixture
    def reflected(self, server: Server) -> Iterator[ProtoReflectionDescriptorDatabase]:
        with grpc.insecure_channel(server.target) as channel:
            yield ProtoReflectionDescriptorDatabase(channel)

    def test_services_are_listed(self, reflected: ProtoReflectionDescriptorDatabase) -> None:
        assert set(reflected.get_services()) == SERVICES

    def test_calls_are_made_from_reflected_descriptors_alone(
        self, server: Server, reflected: ProtoReflectionDescriptorDatabase
    ) -> None:
        # A pool of its own: it knows nothing that the server has not said.
        orchestrator = DescriptorPool(reflected).FindServiceByName("octollm.v1.Orchestrator")
        assert {method.name for method in orchestrator.methods} >= {"CreateTask", "GetTask", "WatchTask"}

        def call(name: str, request: dict) -> object:
            method = orchestrator.methods_by_name[name]
            make = server.channel.unary_stream if method.server_streaming else server.channel.unary_unary
            return make(
                f"/octollm.v1.Orchestrator/{name}",
                request_serializer=GetMessageClass(method.input_type).SerializeToString,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )(json_format.ParseDict(request, GetMessageClass(method.input_type)()), timeout=PATIENCE)

        contract = {"description": "1 + 1", "priority": 5, "requiredCapabilities": ["arithmetic"]}
        task = call("CreateTask", {"contract": contract})
        assert json_format.MessageToDict(task)["contract"]["description"] == "1 + 1"
        assert call("ExecuteTask", {"taskId": task.task_id}).output == "2"
        changes = [json_format.MessageToDict(change)["status"] for change in call("WatchTask", {"taskId": task.task_id})]
        assert changes == ["TASK_STATUS_PENDING", "TASK_STATUS_RUNNING", "TASK_STATUS_COMPLETED"]

    def test_the_errors_that_a_method_raises_are_found(self, reflected: ProtoReflectionDescriptorDatabase) -> None:
        pool = DescriptorPool(reflected)
        error = pool.FindMessageTypeByName("octollm.v1.ValidationError.TaskNotFound")
        assert [field.name for field in error.fields] == ["task_id"]
        # Their options are declared in files that come along.
        assert pool.FindExtensionByName("taxon.error").containing_type.full_name == "google.protobuf.MessageOptions"

    @pytest.mark.parametrize(
        "name", ["google.rpc.Status", "google.rpc.ErrorInfo", "google.rpc.RetryInfo", "taxon.ErrorTraits", "taxon.CallError.InternalError"]
    )
    def test_what_errors_carry_is_found(self, reflected: ProtoReflectionDescriptorDatabase, name: str) -> None:
        assert DescriptorPool(reflected).FindMessageTypeByName(name).full_name == name

    def test_details_are_read_from_reflected_descriptors_alone(
        self, server: Server, reflected: ProtoReflectionDescriptorDatabase
    ) -> None:
        """As grpcurl reads them. The error's retry class and delay are the schema's."""
        wanted = declared("octollm.dev", "RATE_LIMIT_EXCEEDED")
        with pytest.raises(grpc.RpcError) as caught:
            server.rehearsal.Raise(
                RaiseRequest(domain=wanted.domain, code=wanted.code, retry_after=Duration(seconds=7)),
                timeout=PATIENCE,
            )
        bytes_ = dict(caught.value.trailing_metadata())["grpc-status-details-bin"]
        pool = DescriptorPool(reflected)
        status = GetMessageClass(pool.FindMessageTypeByName("google.rpc.Status")).FromString(bytes_)
        # Fails for a type that the pool does not have.
        details = json_format.MessageToDict(status, descriptor_pool=pool)["details"]
        shown = {detail["@type"].rpartition("/")[2]: detail for detail in details}
        assert shown["google.rpc.ErrorInfo"]["reason"] == wanted.code
        assert shown["google.rpc.RetryInfo"]["retryDelay"] == "7s"
        assert wanted.message.DESCRIPTOR.full_name in shown
        assert shown["taxon.ErrorTraits"]["retry"] == "THROTTLED"

    def test_extensions_are_found(self, server: Server, reflected: ProtoReflectionDescriptorDatabase) -> None:
        options = "google.protobuf.MessageOptions"
        assert set(reflected.FindAllExtensionNumbers(options)) == {51820, 51821}
        # The database loads the file and then does not look into it, so the answer itself is looked at.
        wanted = reflection_pb2.ExtensionRequest(containing_type=options, extension_number=51821)
        question = reflection_pb2.ServerReflectionRequest(file_containing_extension=wanted)
        stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
        (answer,) = stub.ServerReflectionInfo(iter([question]), timeout=PATIENCE)
        first = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
        assert first.name == "taxon/taxonomy.proto"

    def test_what_there_is_not_is_not_found(self, reflected: ProtoReflectionDescriptorDatabase) -> None:
        with pytest.raises(KeyError):
            reflected.FindFileByName("nowhere.proto")
        with pytest.raises(KeyError):
            reflected.FindFileContainingSymbol("octollm.v1.Nobody")
        # The call has gone on.
        assert reflected.FindFileContainingSymbol("octollm.v1.Reflex").name == "octollm/v1/reflex.proto"


class TestBufCurl:
    """Has no schema but what the server says."""

    @staticmethod
    def curl(server: Server, path: str, *arguments: str, version: str = "grpc-v1", code: int = 0) -> str:
        result = subprocess.run(
            [
                Path(sys.executable).with_name("buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge",
                "--reflect", "--reflect-protocol", version, *arguments, f"http://{server.target}{path}",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=PATIENCE,
        )  # fmt: skip
        assert (result.returncode == 0) == (code == 0), result.stderr
        return result.stdout if code == 0 else result.stderr

    @pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
    def test_services_are_listed(self, server: Server, version: str) -> None:
        assert set(self.curl(server, "", "--list-services", version=version).split()) == SERVICES

    @pytest.mark.parametrize("version", ["grpc-v1", "grpc-v1alpha"])
    def test_methods_are_called(self, server: Server, version: str) -> None:
        contract = {"description": "2 * 3", "priority": 5, "requiredCapabilities": ["arithmetic"]}

        def call(method: str, request: dict) -> str:
            return self.curl(
                server, f"/octollm.v1.Orchestrator/{method}", "--data", json.dumps(request), version=version
            )

        task = json.loads(call("CreateTask", {"contract": contract}))
        assert json.loads(call("ExecuteTask", {"taskId": task["taskId"]}))["output"] == "6"
        decoder, text, changes = json.JSONDecoder(), call("WatchTask", {"taskId": task["taskId"]}).strip(), []
        while text:
            change, end = decoder.raw_decode(text)
            changes.append(change["status"])
            text = text[end:].strip()
        assert changes == ["TASK_STATUS_PENDING", "TASK_STATUS_RUNNING", "TASK_STATUS_COMPLETED"]

    def test_an_error_is_told_with_its_details(self, server: Server) -> None:
        told = json.loads(self.curl(server, "/octollm.v1.Orchestrator/GetTask", "--data", '{"taskId": "42"}', code=1))
        assert (told["code"], told["message"]) == ("not_found", "Task 42 not found")
        details = {detail["type"]: base64.b64decode(detail["value"] + "==") for detail in told["details"]}
        assert ErrorInfo.FromString(details["google.rpc.ErrorInfo"]).reason == "TASK_NOT_FOUND"
        payload = details["octollm.v1.ValidationError.TaskNotFound"]
        assert ValidationError.TaskNotFound.FromString(payload).task_id == "42"
