"""Serve a provider's schema to Terraform by its plugin protocol: enough for `validate` and mocked tests.

    python server.py SCHEMAS.json SOCKET

Terraform finds a provider that runs already through ``TF_REATTACH_PROVIDERS`` (see `reattach`).
"""

import json
import os
import sys
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from tf.gen import tfplugin_pb2 as protocol
from tf.gen import tfplugin_pb2_grpc as services

ADDRESS = "registry.terraform.io/hashicorp/aws"
_NESTING = {"single": 1, "list": 2, "set": 3, "map": 4}
# Protocol version 6 carries whole schemas in one message; the default limit is 4 MiB.
_LARGE = [("grpc.max_send_message_length", 1 << 28), ("grpc.max_receive_message_length", 1 << 28)]


class SchemaProvider(services.ProviderServicer):  # type: ignore[misc]
    """A provider that knows its schema and refuses to do anything."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._response = protocol.GetProviderSchema.Response(
            provider=_encode(schemas["provider"]),
            resource_schemas={name: _encode(block) for name, block in schemas["resource"].items()},
            data_source_schemas={name: _encode(block) for name, block in schemas["data"].items()},
            server_capabilities=protocol.ServerCapabilities(plan_destroy=True),
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        """Everything that Terraform needs to check a configuration."""
        return self._response

    def GetMetadata(self, request: Any, context: Any) -> Any:
        """Make Terraform ask for the schema instead."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "only the schema is served")

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        """Accept what the schema accepts."""
        return protocol.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        """Accept what the schema accepts."""
        return protocol.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        """Accept what the schema accepts."""
        return protocol.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        """There is nothing to connect to."""
        return protocol.ConfigureProvider.Response()

    def StopProvider(self, request: Any, context: Any) -> Any:
        """The process that started this one ends it."""
        return protocol.StopProvider.Response()


def reattach(pid: int, socket: Path) -> str:
    """The value of ``TF_REATTACH_PROVIDERS`` for the server of this process at this socket."""
    where = {"Network": "unix", "String": str(socket)}
    return json.dumps(
        {ADDRESS: {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": pid, "Test": True, "Addr": where}}
    )


def _encode(block: dict[str, Any]) -> Any:
    return protocol.Schema(version=0, block=_encode_block(block))


def _encode_block(block: dict[str, Any]) -> Any:
    flags = ("required", "optional", "computed")
    attributes = [
        protocol.Schema.Attribute(
            name=name,
            type=json.dumps(attribute["type"]).encode(),
            **{flag: attribute.get(flag, False) for flag in flags},
        )
        for name, attribute in sorted(block["attributes"].items())
    ]
    blocks = [
        protocol.Schema.NestedBlock(
            type_name=name,
            block=_encode_block(nested["block"]),
            nesting=_NESTING[nested["nesting"]],
            min_items=nested.get("min", 0),
            max_items=nested.get("max", 0) if nested["nesting"] in ("list", "set") else 0,
        )
        for name, nested in sorted(block["blocks"].items())
    ]
    return protocol.Schema.Block(version=0, attributes=attributes, block_types=blocks)


def main(schemas: Path, socket: Path) -> None:
    """Serve until the process is ended; prints ``ready`` when Terraform may connect."""
    server = grpc.server(futures.ThreadPoolExecutor(4), options=_LARGE)
    services.add_ProviderServicer_to_server(SchemaProvider(json.loads(schemas.read_text())), server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    print(f"ready {os.getpid()}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
