"""The real Pulumi engine on the local Google Cloud, previewing a stack that does not exist yet."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble_empty
from local_gcp.provider.server import Provider
from tools import ROOT

_TIMEOUT_SECONDS: Final = 180


@dataclass(frozen=True, slots=True)
class Preview:
    """What became of a preview.

    Attributes:
        code: The exit code; 0 for success.
        text: What the engine wrote, standard output and errors.
        states: The resources to be created by their names in the program, as the engine would record them.
    """

    code: int
    text: str
    states: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Engine:
    """A Pulumi engine with a backend of its own.

    Attributes:
        folder: An empty folder for everything that it keeps.
        providers: The value of `PULUMI_DEBUG_PROVIDERS`: where the local Google Cloud listens.
    """

    folder: Path
    providers: str

    async def preview(self, stack: str, *, project: Path = ROOT, config: str | None = None) -> Preview:
        """Preview a stack of a project.

        Args:
            stack: The name of the stack.
            project: The folder of its `Pulumi.yaml`.
            config: The text of the stack's file; the project's own by default.
        """
        text = config or (project / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
        file = await self._make(stack, project, text)
        code, output, errors = await self._run(
            project, "preview", "--stack", stack, "--config-file", str(file), "--json"
        )
        document = json.loads(output) if output.startswith("{") else {}
        states = {step["urn"].split("::")[-1]: step["newState"] for step in document.get("steps", [])}
        return Preview(code, output + errors, states)

    async def _make(self, stack: str, project: Path, text: str) -> Path:
        """Make the stack beside a copy of the project's file, since Pulumi writes into that folder."""
        copy = self.folder / project.name
        copy.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / "Pulumi.yaml", copy)
        code, _, errors = await self._run(copy, "stack", "select", "--create", stack)
        assert code == 0, errors
        file = copy / f"Pulumi.{stack}.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    async def _run(self, folder: Path, *arguments: str) -> tuple[int, str, str]:
        backend = self.folder / "backend"
        backend.mkdir(parents=True, exist_ok=True)
        path = [ROOT / ".tools" / "pulumi" / "bin", Path(sys.executable).parent, os.environ["PATH"]]
        process = await asyncio.create_subprocess_exec(
            "pulumi",
            f"--cwd={folder}",
            "--non-interactive",
            "--color=never",
            *arguments,
            env={
                **os.environ,
                "PATH": os.pathsep.join(map(str, path)),
                "PULUMI_BACKEND_URL": f"file://{backend}",
                "PULUMI_CONFIG_PASSPHRASE": "",
                "PULUMI_DEBUG_PROVIDERS": self.providers,
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
                "PULUMI_HOME": str(self.folder / "home"),
                "PULUMI_SKIP_UPDATE_CHECK": "1",
            },
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output.decode(), errors.decode()


@asynccontextmanager
async def google_cloud(folder: Path) -> AsyncIterator[str]:
    """Give a preview its local Google Cloud, in which nothing stands and nothing runs.

    Args:
        folder: Where it would keep what it has.

    Yields:
        Where it listens, as `PULUMI_DEBUG_PROVIDERS` has it.
    """
    state = State(folder)
    state.make()
    assembly = assemble_empty(state, ROOT / "infra")
    async with Provider(assembly.cloud, assembly.endpoints) as provider:
        yield provider.attachment
