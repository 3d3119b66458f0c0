"""The bootstrap as a program of a test's own stack."""

import yaml

from tests.event_store_infra.inventory.variants import BOOTSTRAP
from tests.local_gcp.conftest import Stack
from tools import ROOT


def write_bootstrap(
    stack: Stack, project: str = "project-1", environment: str = "prod", program: str = "event-store"
) -> None:
    """Make a stack's program the bootstrap of a project."""
    stack.write(f"import runpy\nrunpy.run_path({str(ROOT / 'infra' / 'bootstrap' / '__main__.py')!r})\n")
    here = {"gcp:project": project, "event-store-bootstrap:environment": environment}
    here["event-store-bootstrap:program"] = program
    stack.config_file.write_text(yaml.safe_dump({"config": {**BOOTSTRAP, **here}}))
