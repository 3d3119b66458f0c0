"""The preview of `prod` by the real engine, against that of a Python program without a resource."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Final

import yaml

from benchmarks.place import Workbench
from benchmarks.work import Work
from tools import ROOT

STACK: Final = "prod"


class Previews:
    """The repository's own project, and an empty one beside it."""

    def __init__(self, place: Workbench) -> None:
        self._place = place

    def works(self) -> Iterator[Work]:
        """Yield the work."""
        yield Work(
            "preview of prod",
            "preview of an empty program",
            1 / 2.5,
            1 / 4,
            lambda: self._preview(ROOT),
            lambda: self._preview(self._empty),
            1,
        )

    @cached_property
    def _empty(self) -> Path:
        folder = self._place.directory / "empty"
        folder.mkdir()
        project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project | {"main": "."}))
        (folder / "__main__.py").touch()
        (folder / f"Pulumi.{STACK}.yaml").write_text((ROOT / f"Pulumi.{STACK}.yaml").read_text())
        (folder / ".venv").symlink_to(ROOT / ".venv")
        return folder

    def _preview(self, project: Path) -> float:
        return 1 / self._place.run(["benchmarks.loads.preview", str(project), STACK])
