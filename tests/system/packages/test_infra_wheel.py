"""`gcp-event-store-infra` from its wheel, in the Pulumi program of another team."""

import asyncio
import subprocess
from pathlib import Path
from typing import Final

from tests.event_store_infra.engine import google_cloud
from tests.system.packages.conftest import Install
from tests.system.packages.environment import VirtualEnvironment
from tools import ROOT

# One environment for both: the SDK of pulumi-gcp has 290 MB.
INFRA: Final = ("gcp-event-store-infra", "pip")
_SECONDS: Final = 180


def _preview(environment: VirtualEnvironment, providers: str) -> "subprocess.CompletedProcess[str]":
    """Preview the program in the user's folder, in a stack of its own."""
    backend = environment.folder / "backend"
    backend.mkdir(exist_ok=True)
    variables = environment.variables(
        PULUMI_BACKEND_URL=f"file://{backend}",
        PULUMI_CONFIG_PASSPHRASE="",
        PULUMI_DEBUG_PROVIDERS=providers,
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION="1",
        PULUMI_HOME=str(environment.folder / "pulumi"),
        PULUMI_SKIP_UPDATE_CHECK="1",
    )
    variables["PATH"] = (
        f"{environment.python.parent}:{ROOT / '.tools' / 'pulumi' / 'bin'}:{variables['PATH']}"
    )
    said = None
    for command in (("stack", "select", "--create", "trial"), ("preview", "--stack", "trial")):
        said = subprocess.run(
            ["pulumi", f"--cwd={environment.home}", "--non-interactive", "--color=never", *command],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert said.returncode == 0, said.stdout + said.stderr
    assert said is not None
    return said


async def test_another_teams_program_takes_a_component(install: Install, tmp_path: Path) -> None:
    """The packages `infra`, `local` and `migrations` beside its program are the ones that it imports."""
    environment = install(*INFRA)
    program = (ROOT / "tests" / "event_store_infra" / "components" / "other_team" / "__main__.py").read_text()
    own = "import infra, local, migrations\nassert infra.OWN and local.OWN and migrations.OWN\n"
    (environment.home / "__main__.py").write_text(f"{program}\n{own}")
    (environment.home / "Pulumi.yaml").write_text("name: other-team\nruntime: python\n")
    async with google_cloud(tmp_path / "cloud") as providers:
        said = await asyncio.to_thread(_preview, environment, providers)

    assert "orders" in said.stdout
    assert "gcp:pubsub" in said.stdout
