"""Protocol Buffers: parse definitions, and validate messages in the JSON or binary encoding.

Google's rules for a definition in text: one top-level type, and no import
(https://cloud.google.com/pubsub/docs/schemas). The text is compiled by `protoc` of the package
grpcio-tools; a definition that is already compiled needs no compiler.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError

from pubsub_emulator.extras import check_installed

COMPILE_SECONDS: Final = 30
_FILE: Final = "schema.proto"


class ProtocolBuffers:
    """A Protocol Buffers definition.

    Args:
        files: The file descriptors, each after its imports.
        root: Full name of the published message type.

    Raises:
        ValueError: The files are inconsistent, or do not contain the type.
    """

    def __init__(self, files: FileDescriptorSet, root: str) -> None:
        pool = descriptor_pool.DescriptorPool()
        try:
            for file in files.file:
                pool.Add(file)
            self._message: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName(root))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no message type {root!r} can be made of it: {error}") from error

    @classmethod
    def from_text(cls, definition: str) -> "ProtocolBuffers":
        """Compile a definition in .proto syntax.

        Raises:
            ValueError: The text does not compile, has an import, or not exactly one top-level type.
            UnimplementedError: grpcio-tools is not installed.
        """
        check_installed("grpc_tools", "schema", "a schema of Protocol Buffers")
        files = _compile(definition)
        (file,) = files.file
        if file.dependency:
            raise ValueError(f"it imports {', '.join(file.dependency)}; no import is supported")
        names: list[str] = [each.name for each in file.message_type]
        others: list[str] = [each.name for each in file.enum_type]
        if len(names) != 1 or others:
            raise ValueError(
                "it must have one top-level type, a message, and others only within that, not"
                f" {', '.join(names + others) or 'none'}"
            )
        return cls(files, ".".join(part for part in (file.package, *names) if part))

    @classmethod
    def from_compiled(cls, compiled: bytes, root: str) -> "ProtocolBuffers":
        """Parse a serialised FileDescriptorSet.

        Raises:
            ValueError: The bytes are not a FileDescriptorSet, or do not contain the type.
        """
        try:
            return cls(FileDescriptorSet.FromString(compiled), root)
        except DecodeError as error:
            raise ValueError(f"compiled_bytes is not a FileDescriptorSet: {error}") from error

    def takes_json(self, data: bytes) -> bool:
        """Return whether `data` is a message in the JSON encoding, without unknown fields."""
        message = self._message()
        try:
            if not isinstance(json.loads(data), dict):
                return False
            json_format.Parse(data, message)
        except (json_format.ParseError, ValueError, RecursionError):
            return False
        return bool(message.IsInitialized())

    def takes_binary(self, data: bytes) -> bool:
        """Return whether `data` is a message in the binary encoding."""
        message = self._message()
        try:
            message.ParseFromString(data)
        except DecodeError:
            return False
        return bool(message.IsInitialized())


def _compile(definition: str) -> FileDescriptorSet:
    with TemporaryDirectory() as folder:
        Path(folder, _FILE).write_text(definition, encoding="utf-8")
        output = Path(folder, "compiled")
        try:
            # In a separate process: protoc reports errors on standard error, and may crash.
            done = subprocess.run(
                [
                    *(sys.executable, "-P", "-m", "grpc_tools.protoc"),
                    *("-I.", f"--descriptor_set_out={output}", _FILE),
                ],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=COMPILE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ValueError(f"protoc did not end within {COMPILE_SECONDS} s") from error
        if done.returncode:
            reasons = [line for line in done.stderr.splitlines() if ".proto:" in line]  # and not its log
            raise ValueError(f"protoc refuses it: {' '.join(reasons)}")
        return FileDescriptorSet.FromString(output.read_bytes())
