# SPDX-License-Identifier: Apache-2.0
"""A client made from a service's descriptor, so that grpcio's own protoc plugin is not needed."""

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from octollm.v1 import orchestrator_pb2, reflex_pb2

ORCHESTRATOR = orchestrator_pb2.DESCRIPTOR.services_by_name["Orchestrator"]
REHEARSAL = orchestrator_pb2.DESCRIPTOR.services_by_name["Rehearsal"]
REFLEX = reflex_pb2.DESCRIPTOR.services_by_name["Reflex"]


class Stub:
    """Has a callable for each method, under its name in the schema."""

    def __init__(self, channel: grpc.Channel, service: ServiceDescriptor) -> None:
        for method in service.methods:
            make = channel.unary_stream if method.server_streaming else channel.unary_unary
            callable = make(
                f"/{service.full_name}/{method.name}",
                request_serializer=GetMessageClass(method.input_type).SerializeToString,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )
            setattr(self, method.name, callable)
