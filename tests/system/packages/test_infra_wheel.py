"""`gcp-event-store-infra` from its wheel, in the Pulumi program of another team."""

import asyncio
import subprocess
from pathlib import Path
from typing import Final

from tests.documents import blocks
from tests.event_store_infra.engine import google_cloud
from tests.system.packages.conftest import Install
from tests.system.packages.environment import VirtualEnvironment
from tools import ROOT

# One environment for both: the SDK of pulumi-gcp has 290 MB.
INFRA: Final = "gcp-event-store-infra"
_SECONDS: Final = 180
_OWN: Final = "\nimport infra, local, migrations\nassert infra.OWN and local.OWN and migrations.OWN\n"


def _preview(environment: VirtualEnvironment, providers: str, program: str, config: str) -> str:
    """Preview a program in the user's folder, in a stack of its own; return what Pulumi writes."""
    (environment.home / "__main__.py").write_text(program + _OWN)
    (environment.home / "Pulumi.yaml").write_text("name: other-team\nruntime: python\n")
    (environment.home / "Pulumi.trial.yaml").write_text(config)
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
    said = ""
    for command in (("stack", "select", "--create", "trial"), ("preview", "--stack", "trial")):
        answer = subprocess.run(
            ["pulumi", f"--cwd={environment.home}", "--non-interactive", "--color=never", *command],
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        said = answer.stdout + answer.stderr
        assert answer.returncode == 0, said
    return said


async def test_another_teams_program_takes_a_component(install: Install, tmp_path: Path) -> None:
    """The packages `infra`, `local` and `migrations` beside its program are the ones that it imports."""
    program = ROOT / "tests" / "event_store_infra" / "components" / "other_team" / "__main__.py"
    async with google_cloud(tmp_path / "cloud") as providers:
        said = await asyncio.to_thread(
            _preview, install(INFRA), providers, program.read_text(), "config: {}\n"
        )

    assert "orders" in said
    assert "gcp:pubsub" in said


async def test_another_teams_program_deploys_a_whole_event_store(install: Install, tmp_path: Path) -> None:
    """As infra/README.md has it; the alerts of `prod` bring their runbook from the wheel."""
    readme = ROOT / "infra" / "README.md"
    environment = install(INFRA)
    image = environment.home / "image"
    image.mkdir()
    (image / "Dockerfile").write_text(blocks(readme, "dockerfile")[0])
    config = blocks(readme, "yaml")[0].replace("profile: dev", "profile: prod")
    async with google_cloud(tmp_path / "cloud") as providers:
        said = await asyncio.to_thread(_preview, environment, providers, blocks(readme, "python")[0], config)

    assert "profile: prod" in config
    for name in ("bus-order-events", "registry-image", "event-store-service", "monitoring-migration-failed"):
        assert name in said
