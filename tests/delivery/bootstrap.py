"""The bootstrap as a program of a test's own stack."""

import yaml

from local.state import ROOT
from tests.infra.inventory.variants import BOOTSTRAP
from tests.local.conftest import Stack


def write_bootstrap(stack: Stack) -> None:
    """Make a stack's program the bootstrap of the project `project-1`."""
    stack.write(f"import runpy\nrunpy.run_path({str(ROOT / 'infra' / 'bootstrap' / '__main__.py')!r})\n")
    content = {"config": {**BOOTSTRAP, "gcp:project": "project-1"}}
    stack.config_file.write_text(yaml.safe_dump(content))
