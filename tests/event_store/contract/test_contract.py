"""The contract compiles for a stranger, who has nothing of this repository but the folder of the contract."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.documents import blocks
from tests.event_store.command import PATIENCE_SECONDS, ROOT

CONTRACT: Final = "event_store/v1/event_store.proto"


def test_a_strangers_compiler_compiles_it_by_the_documented_commands(tmp_path: Path) -> None:
    """In an empty folder, without Google's protos beside the compiler; each import is in what it writes."""
    (commands,) = blocks(ROOT / "docs" / "reference" / "contract.md", "sh")
    # -I: neither this repository nor PYTHONPATH is searched, as for a compiler that is no Python.
    protoc = f'protoc() {{ {shlex.quote(sys.executable)} -I -m grpc_tools.protoc "$@"; }}\n'

    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", protoc + commands],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "EVENT_STORE_CLONE": str(ROOT)},
        check=True,
        timeout=PATIENCE_SECONDS,
    )

    written = FileDescriptorSet.FromString((tmp_path / "contract.binpb").read_bytes())
    files = {file.name: file for file in written.file}
    assert set(files[CONTRACT].dependency) < set(files)
    assert [service.name for service in files[CONTRACT].service] == ["EventStore"]


def test_generated_code_has_a_place_of_its_own_in_each_language(tmp_path: Path) -> None:
    """Not one that is made of the package's name: that would shadow, or be shadowed by, a team's own code."""
    command = [sys.executable, "-I", "-m", "grpc_tools.protoc", f"--proto_path={ROOT / 'service' / 'proto'}"]
    command += [f"--descriptor_set_out={tmp_path / 'contract.binpb'}", CONTRACT]
    subprocess.run(command, check=True, timeout=PATIENCE_SECONDS)
    (file,) = FileDescriptorSet.FromString((tmp_path / "contract.binpb").read_bytes()).file
    page = (ROOT / "docs" / "reference" / "contract.md").read_text("utf-8")
    options = file.options

    assert options.java_multiple_files
    assert options.go_package.endswith(";eventstorev1")
    for name in (options.java_package, options.csharp_namespace, options.php_namespace, options.ruby_package):
        assert f"| `{name}` |" in page


def test_the_contract_of_each_release_is_kept() -> None:
    """So that `make check` compares with it: of each in the changelog, and of the one that comes next."""
    released = re.findall(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    current = tomllib.loads((ROOT / "service" / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    kept = {path.stem: path for path in (ROOT / "service" / "released").glob("*.binpb")}

    assert {*released, current} == kept.keys()
    for path in kept.values():
        files = FileDescriptorSet.FromString(path.read_bytes()).file
        assert CONTRACT in {file.name for file in files}
