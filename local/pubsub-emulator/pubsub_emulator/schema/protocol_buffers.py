"""Protocol Buffers: definitions, and messages in the JSON or binary encoding that are held to them.

Google's rules for a definition in text: one top-level type, and no import
(https://cloud.google.com/pubsub/docs/schemas). The text is compiled by `protoc`, which comes with the package
grpcio-tools; a definition that was compiled elsewhere needs no compiler.
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
    """A definition.

    Args:
        files: The definition as descriptors, each file after those that it imports.
        root: Full name of the message type that is published.

    Raises:
        ValueError: The files do not belong together, or have no such type.
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
        """Compile a definition in the language of .proto files.

        Raises:
            ValueError: It is not in that language, imports something, or has not exactly one top-level type.
            UnimplementedError: There is no compiler.
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
        """Read a serialised FileDescriptorSet.

        Raises:
            ValueError: It is not one, or does not contain that type.
        """
        try:
            return cls(FileDescriptorSet.FromString(compiled), root)
        except DecodeError as error:
            raise ValueError(f"compiled_bytes is not a FileDescriptorSet: {error}") from error

    def takes_json(self, data: bytes) -> bool:
        """Whether this is a message in the JSON encoding, without unknown fields."""
        message = self._message()
        try:
            if not isinstance(json.loads(data), dict):
                return False
            json_format.Parse(data, message)
        except (json_format.ParseError, ValueError, RecursionError):
            return False
        return bool(message.IsInitialized())

    def takes_binary(self, data: bytes) -> bool:
        """Whether this is a message in the binary encoding."""
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
            # In a process of its own: its messages are on standard error, and a crash of it is not ours.
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
