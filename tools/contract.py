"""Generate the service's Python code from its protos; with --check, check that it is up to date.

`service/event_store/v1/` is generated from the contract, `messages_pb2` from our Pub/Sub messages.

The contract imports `google/rpc/status.proto`, which no compiler includes. That file is copied next to it
from the package of Google's protos, so that the folder compiles anywhere.
"""

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import ROOT, ToolError

_SOURCES = ROOT / "service" / "proto"
_GOOGLE = Path(sysconfig.get_path("purelib"))  # where googleapis-common-protos puts google/rpc/*.proto
_TARGET = ROOT / "service"
_CONTRACT = Path("event_store/v1/event_store.proto")
_IMPORTED = Path("google/rpc/status.proto")
_MESSAGES = Path("event_store/pubsub/messages.proto")
_GENERATED = [
    *(_CONTRACT.with_name(f"event_store_pb2{ending}") for ending in (".py", ".pyi", "_grpc.py")),
    *(_MESSAGES.with_name(f"messages_pb2{ending}") for ending in (".py", ".pyi")),
    "proto" / _IMPORTED,
]


def generate(target: Path) -> None:
    """Write the generated modules and the imported file to a folder.

    Raises:
        ToolError: A proto does not compile.
    """
    imported = target / "proto" / _IMPORTED
    imported.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_GOOGLE / _IMPORTED, imported)
    _compile(_CONTRACT, target, "python", "pyi", "grpc_python", paths=(_SOURCES, target / "proto"))
    _compile(_MESSAGES, target, "python", "pyi", paths=(_TARGET,))


def _compile(source: Path, target: Path, *kinds: str, paths: Iterable[Path]) -> None:
    command = [sys.executable, "-m", "grpc_tools.protoc", *(f"--proto_path={path}" for path in paths)]
    command += [*(f"--{kind}_out={target}" for kind in kinds), str(source)]
    answer = subprocess.run(command, cwd=_TARGET, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ToolError(f"{source} does not compile:\n{answer.stderr.strip()}")


def check() -> None:
    """Compare the generated files in the tree with the protos.

    Raises:
        ToolError: A generated file differs or is missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        stale = [
            path
            for path in _GENERATED
            if not (_TARGET / path).exists()
            or (Path(folder) / path).read_bytes() != (_TARGET / path).read_bytes()
        ]
    if stale:
        raise ToolError(f"{', '.join(map(str, stale))} is not what its proto gives. Run: make proto")


def main() -> int:
    """Generate or check."""
    parser = argparse.ArgumentParser(prog="tools/contract.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    try:
        if parser.parse_args().check:
            check()
        else:
            generate(_TARGET)
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
