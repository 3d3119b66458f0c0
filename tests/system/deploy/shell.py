"""A terminal in a clone of the repository, as of somebody who follows a page of docs/ without Google Cloud.

What no laptop has is replaced: buckets are folders, keys are a passphrase, and instead of `gcloud` and `gh`
two functions note what they are asked. Pulumi, `make` and all of ours are the real ones.
"""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from local_gcp.engine.pulumi_cli import Pulumi
from local_gcp.resource.place import Place
from tests.event_store_infra.identities.test_federation import OURS
from tools import ROOT, SOURCES

PATIENCE_SECONDS: Final = 600
PROJECTS: Final = ("team-dev", "team-prod")
_NUMBERS: Final = "\n".join(
    f'        "projects describe {each}") echo {Place(project=each).number} ;;' for each in PROJECTS
)
_PRELUDE: Final = f"""
set -euo pipefail
gcloud() {{
    echo "gcloud $*" >> "$ASKED"
    case "${{*:1:3}}" in
{_NUMBERS}
    esac
}}
gh() {{
    echo "gh $*" >> "$ASKED"
    case "$*" in
        "api repos/{OURS["repository"]} --jq .id") echo {OURS["repository_id"]} ;;
        "api repos/{OURS["repository"]} --jq .owner.id") echo {OURS["repository_owner_id"]} ;;
    esac
}}
pulumi() {{
    case "$1" in
        up) set -- "$@" --yes --skip-preview ;;
        # Who goes on where it fails sees that, and types the next line.
        destroy) command pulumi "$@" --yes --skip-preview || [[ "$*" = *--continue-on-error* ]]; return ;;
    esac
    command pulumi "$@"
}}
"""


class Shell:
    """A clone of the repository, and a home with nothing in it.

    Args:
        folder: An empty folder, where all of it is kept.

    Attributes:
        clone: The copy of the repository.
    """

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "clone"
        self._folder = folder
        self._asked = folder / "asked"
        self._asked.touch()
        for project in PROJECTS:
            (folder / "buckets" / f"{project}-state").mkdir(parents=True)
        _copy(self.clone)
        programs = (self.clone / ".venv" / "bin", self.clone / ".tools" / "pulumi" / "bin")
        self._environment = {
            "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
            # The environment is that of the tests, but what runs is the copy.
            "PYTHONPATH": os.pathsep.join(str(self.clone / part) for part in SOURCES),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHON": "true",  # so that `make setup` has nothing to do
            "ASKED": str(self._asked),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "of the test",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        }
        self._pulumi = Pulumi(self.clone, folder, "", "")  # whose home it is, too

    @property
    def asked(self) -> list[str]:
        """What `gcloud` and `gh` were asked, in order."""
        return self._asked.read_text().splitlines()

    async def run(self, commands: str, providers: str, variables: Mapping[str, str] | None = None) -> str:
        """Run commands, which must succeed, and return their output.

        Args:
            commands: As a page or a workflow has them.
            providers: The value of PULUMI_DEBUG_PROVIDERS, which tells whose credentials are there.
            variables: More of the environment.
        """
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", _PRELUDE + self._replaced(commands)),
            cwd=self.clone,
            env={
                **self._environment,
                **{name: self._replaced(value) for name, value in (variables or {}).items()},
                "PULUMI_DEBUG_PROVIDERS": providers,
            },
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
                await self._pulumi.settle()
        assert process.returncode == 0, f"{commands}\n{output.decode()}"
        return output.decode()

    def _replaced(self, text: str) -> str:
        """Return a text with folders in place of buckets, and the passphrase in place of keys."""
        text = re.sub(r"gs://(?=team-)", f"file://{self._folder}/buckets/", text)
        return re.sub(r"gcpkms://\S+", "passphrase", text)


def _copy(clone: Path) -> None:
    """Copy the repository without what Git ignores, and with the environment of the tests."""
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()]
    shutil.copytree(ROOT, clone, symlinks=True, ignore=shutil.ignore_patterns(".git", *ignored))
    for linked in (".venv", ".tools"):
        (clone / linked).symlink_to(ROOT / linked)
