"""The Pulumi CLI, run on a stack with the local Google Cloud in place of its providers.

Backend, home and stack configuration belong to the local runtime. So no credentials are read from the
developer's own Pulumi or from tracked files, and none of these files is changed.
"""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml

from local_gcp.engine.stack_file import copy_stack_file
from local_gcp.errors import SetupError
from local_gcp.system.child_process import mortal

CANCEL_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_PROCESSES: Final = Path("/proc")
# Not a secret: what it encrypts never leaves the state directory.
_PASSPHRASE: Final = "local"  # noqa: S105


def search_path() -> str:
    """Return the PATH on which `pulumi` is searched, and with which it runs.

    The program's own Python comes first, for a language host that ignores the runtime's options.
    """
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


class Pulumi:
    """One Pulumi stack.

    Args:
        project: The directory of `Pulumi.yaml` and the stacks' files.
        directory: The directory of home, backend and copied stack files.
        stack: The name of the stack.
        providers: The value for PULUMI_DEBUG_PROVIDERS.
        python_path: The first directories searched for the program's packages, joined by `:`; may be empty.
    """

    def __init__(
        self, project: Path, directory: Path, stack: str, providers: str, python_path: str = ""
    ) -> None:
        self._project = project
        self._directory = directory
        self._stack = stack
        self._name = str(yaml.safe_load((project / "Pulumi.yaml").read_text())["name"])
        self._config = directory / f"Pulumi.{stack}.yaml"
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            "PATH": search_path(),
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_BACKEND_URL": f"file://{directory}",
            "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
            "PULUMI_DEBUG_PROVIDERS": providers,
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
            **({"PYTHONPATH": python_path} if python_path else {}),
        }

    async def prepare(self) -> None:
        """Copy the stack's file, create the stack if it is missing, and clean up after a killed update.

        Raises:
            SetupError: The stack or `pulumi` is missing, or a command of Pulumi fails.
        """
        if shutil.which("pulumi", path=search_path()) is None:
            raise SetupError("`pulumi` is not on PATH: install it, https://www.pulumi.com/docs/install/")
        await self.settle()
        self._directory.mkdir(parents=True, exist_ok=True)
        copy_stack_file(self._project, self._stack, self._config)
        if not self._checkpoint.exists():
            await self._create()
        if any((self._directory / ".pulumi" / "locks").rglob(f"{self._stack}/*.json")):
            await self._quietly("cancel", "--yes", self._stack)  # the holder has ended
        if self._latest().get("pending_operations"):
            await self._quietly(
                "refresh", "--yes", "--skip-preview", "--clear-pending-creates", *self._on_stack
            )

    async def run(self, command: str, *arguments: str) -> int:
        """Run a command on the stack with its output shown; return its exit code.

        Ctrl-C and SIGTERM cancel the command gracefully, and so does the end of this process.

        Args:
            command: The command, as in `up`.
            arguments: The flags.
        """
        code, _ = await self._run(None, command, *arguments)
        return code

    async def up(self) -> None:
        """Run `up` without showing its output.

        Raises:
            SetupError: `up` fails; the message says why.
        """
        flags = ("--yes", "--skip-preview", "--non-interactive", "--color", "never", "--suppress-progress")
        code, text = await self._run(asyncio.subprocess.PIPE, "up", *flags)
        if code != 0:
            raise SetupError(f"`pulumi up` failed:\n{text.strip()}")

    async def plan(self, *arguments: str) -> str:
        """Return the output of `pulumi preview --json --show-sames`, even if the preview fails.

        Args:
            arguments: Further flags.

        Raises:
            SetupError: The preview prints no plan.
        """
        code, text = await self._run(asyncio.subprocess.PIPE, "preview", "--json", "--show-sames", *arguments)
        if code != 0 and not text.lstrip().startswith("{"):
            raise SetupError(f"`pulumi preview` failed: it says why above {text}".strip())
        return text

    async def _run(self, stdout: int | None, command: str, *arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *mortal(["pulumi", command, *arguments, *self._on_stack], signal.SIGINT),
            cwd=self._project,
            env=self._environment,
            stdout=stdout,
            start_new_session=True,
        )
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        for number in signals:
            loop.add_signal_handler(number, process.send_signal, signal.SIGINT)
        try:
            text, _ = await process.communicate()
            return process.returncode or 0, (text or b"").decode()
        finally:
            for number in signals:
                loop.remove_signal_handler(number)
            if process.returncode is None or process.returncode < 0:
                await self.settle()  # it was killed, which its plugins do not notice

    async def settle(self) -> None:
        """Wait until a killed command's update is cancelled, and end its remaining processes; Linux only.

        Only one command works at a time, so every process with our `PULUMI_HOME` belongs to the earlier one.
        """
        deadline = time.monotonic() + CANCEL_SECONDS
        while "pulumi" in (left := self._processes()).values():  # a foreign process cannot set an event
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def is_empty(self) -> bool:
        """Tell whether the stack has no resources other than Pulumi's own."""
        return all(each["type"].startswith("pulumi:") for each in self._latest().get("resources", []))

    @property
    def _on_stack(self) -> tuple[str, ...]:
        return ("--stack", self._stack, "--config-file", str(self._config))

    @property
    def _checkpoint(self) -> Path:
        return self._directory / ".pulumi" / "stacks" / self._name / f"{self._stack}.json"

    def _latest(self) -> dict[str, Any]:
        if not self._checkpoint.exists():
            return {}
        latest: dict[str, Any] = json.loads(self._checkpoint.read_text())["checkpoint"].get("latest") or {}
        return latest

    def _processes(self) -> dict[int, str]:
        """Return the ids and names of all processes with this home."""
        home, found = f"PULUMI_HOME={self._environment['PULUMI_HOME']}".encode(), {}
        for path in _PROCESSES.glob("[0-9]*"):
            with suppress(OSError):  # ended, or owned by another user
                if home in (path / "environ").read_bytes().split(b"\0"):
                    found[int(path.name)] = (path / "comm").read_text().strip()
        return found

    async def _create(self) -> None:
        """Create the stack in a scratch project, since `pulumi stack init` writes beside `Pulumi.yaml`."""
        scratch = self._directory / "scratch"
        scratch.mkdir(exist_ok=True)
        (scratch / "Pulumi.yaml").write_text(yaml.safe_dump({"name": self._name, "runtime": "python"}))
        written = scratch / self._config.name
        written.unlink(missing_ok=True)
        await self._quietly("stack", "init", self._stack, "--no-select", project=scratch)
        salt = yaml.safe_load(written.read_text()) if written.exists() else {}
        shutil.rmtree(scratch)
        self._config.write_text(yaml.safe_dump({**yaml.safe_load(self._config.read_text()), **salt}))

    async def _quietly(self, *command: str, project: Path | None = None) -> None:
        process = await asyncio.create_subprocess_exec(
            *("pulumi", *command, "--non-interactive"),
            cwd=project or self._project,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise SetupError(f"`pulumi {' '.join(command[:2])}` failed:\n{said.decode().strip()}")
