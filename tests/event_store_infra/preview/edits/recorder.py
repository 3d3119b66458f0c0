"""Makes the engine's plans of edits: a stack is brought up once, and each edit of it is previewed."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from event_store_infra.settings.stack import NAMESPACE
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import Assembly, assemble_empty
from local_gcp.engine.pulumi_cli import Pulumi
from local_gcp.provider.server import Provider
from tests.event_store_infra.preview.edits.bases import PLAIN
from tests.event_store_infra.preview.edits.edit import Base, Edit, Outside, changed
from tests.event_store_infra.preview.normal import normal
from tools import ROOT

if TYPE_CHECKING:
    from local_gcp.resource.records import Record

PROGRAM: Final = "infra/event_store_infra"  # where a patch has its place
_DOCKERFILE: Final = (
    "FROM scratch\n"  # an image, and below alerts, that stay the same whatever we build and write
)


@asynccontextmanager
async def standing(base: Base, folder: Path) -> AsyncIterator["PlanRecorder"]:
    """Bring a stack up, to preview its edits.

    Args:
        base: The stack.
        folder: An empty one.
    """
    project, image = folder / "project", folder / "image"
    project.mkdir()
    (image / "service").mkdir(parents=True)
    (image / "service" / "Dockerfile").write_text(_DOCKERFILE)
    shutil.copy(ROOT / "Pulumi.yaml", project)
    shutil.copytree(ROOT / "infra", project / "infra")
    runbook = project / "infra" / "event_store_infra" / "components" / "monitoring" / "runbook.md"
    headings = [each for each in runbook.read_text().splitlines() if each[:1] == "#"]
    runbook.write_text("".join(f"{each}\n\nSee the runbook.\n\n" for each in headings))
    (project / "plain.yaml").write_text(yaml.safe_dump(PLAIN, sort_keys=False))
    state = State(folder / "cloud")
    state.make()
    assembly = assemble_empty(state, image / "infra")
    async with Provider(assembly.cloud) as provider:
        recorder = PlanRecorder(base, project, assembly, provider.attachment)
        await recorder.bring_up()
        yield recorder


class PlanRecorder:
    """Previews the edits of one stack that stands.

    Args:
        base: The stack.
        project: The folder of `Pulumi.yaml`, with a copy of the program.
        assembly: The local Google Cloud that it stands in.
        providers: Where that listens.
    """

    def __init__(self, base: Base, project: Path, assembly: Assembly, providers: str) -> None:
        self._base = base
        self._project = project
        self._records = assembly.cloud.records
        self._providers = providers
        own = yaml.safe_load((ROOT / f"Pulumi.{base.stack}.yaml").read_text(encoding="utf-8"))["config"]
        self._own = own
        self._stands: tuple[Record, ...] = ()

    async def bring_up(self) -> None:
        """Bring it up, in as many updates as it takes."""
        for config in (*self._base.made, self._base.config):
            self._write(self._base.stack, (config,), {}, {})
            pulumi = self._pulumi(self._base.stack)
            await pulumi.prepare()
            code = await pulumi.run(
                "up", "--yes", "--skip-preview", "--suppress-progress", "--suppress-outputs"
            )
            if code != 0:
                raise RuntimeError(f"the stack {self._base.name} does not come up: it says why above")
        self._stands, self._place = tuple(self._records), self._records.place

    async def plan(self, edit: Edit) -> dict[str, Any]:
        """Return the normal plan of an edit."""
        stack = edit.stack or self._base.stack
        pulumi = self._pulumi(stack)
        self._write(stack, (self._base.config, edit.config), edit.topology, edit.acknowledged)
        await pulumi.prepare()
        kept = self._project / "kept"
        shutil.copytree(self._project / "state" / ".pulumi", kept)
        checkpoint = pulumi._checkpoint.read_bytes()
        patched = [self._patch(each.file, each.old, each.new) for each in edit.program]
        for each in edit.outside:
            self._change_outside(each)
        try:
            for name in edit.unprotected:
                urn = self._urn(checkpoint, name)
                await pulumi._quietly("state", "unprotect", "--yes", "--stack", stack, urn)
            if edit.renamed:
                pulumi = await self._rename(pulumi, stack, edit.renamed)
            flags = [
                self._urn(checkpoint, each.removeprefix("urn:")) if each.startswith("urn:") else each
                for each in edit.flags
            ]
            _, text = await pulumi._run(asyncio.subprocess.PIPE, *edit.command, "--json", *flags)
        finally:
            shutil.rmtree(self._project / "state" / ".pulumi")
            kept.rename(self._project / "state" / ".pulumi")
            for path, original in reversed(patched):  # a file may be patched twice
                path.write_text(original, encoding="utf-8")
            self._restore_records()
        return normal(json.loads(self._without_places(text)))

    def _pulumi(self, stack: str) -> Pulumi:
        # The copy of the program comes first, since a part of it may be patched.
        path = ":".join(map(str, (self._project / "infra", ROOT / "service", ROOT)))
        return Pulumi(self._project, self._project / "state", stack, self._providers, path)

    async def _rename(self, pulumi: Pulumi, old: str, new: str) -> Pulumi:
        scratch = self._project / "scratch"  # where the command renames the stack's file, too
        scratch.mkdir()
        shutil.copy(self._project / "Pulumi.yaml", scratch)
        for folder in (self._project, self._project / "state"):
            shutil.copy(folder / f"Pulumi.{old}.yaml", folder / f"Pulumi.{new}.yaml")
        await pulumi._quietly("stack", "rename", new, "--stack", old, project=scratch)
        shutil.rmtree(scratch)
        renamed = self._pulumi(new)
        await renamed.prepare()
        return renamed

    def _write(
        self,
        stack: str,
        configs: Iterable[Mapping[str, Any]],
        topology: Mapping[str, Any],
        acknowledged: Mapping[str, str],
    ) -> None:
        document = self._own
        for config in configs:
            paths = {key if ":" in key else f"{NAMESPACE}{key}": value for key, value in config.items()}
            document = changed(document, paths)
        if acknowledged:
            document[f"{NAMESPACE}acknowledged"] = dict(acknowledged)
        file = self._project / f"Pulumi.{stack}.yaml"
        file.write_text(yaml.safe_dump({"config": document}, sort_keys=False), encoding="utf-8")
        edited = changed(self._base.topology, topology)
        (self._project / "topology.yaml").write_text(
            yaml.safe_dump(edited, sort_keys=False), encoding="utf-8"
        )

    def _patch(self, file: str, old: str, new: str) -> tuple[Path, str]:
        path = self._project / PROGRAM / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(
                f"{PROGRAM}/{file} has {text.count(old)} times {old!r}, not once: change the edit"
            )
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path, text

    def _change_outside(self, outside: Outside) -> None:
        (record,) = (each for each in self._records.of_type(outside.type) if each.id.endswith(outside.ends))
        if outside.changed is None:
            self._records.remove(record)
            return
        inputs, outputs = (changed(each, outside.changed) for each in (record.inputs, record.outputs))
        self._records.put(replace(record, inputs=inputs, outputs=outputs))

    def _restore_records(self) -> None:
        for each in self._records:
            self._records.remove(each)
        for each in self._stands:
            self._records.put(each)
        self._records.place = self._place

    def _urn(self, checkpoint: bytes, name: str) -> str:
        resources = json.loads(checkpoint)["checkpoint"]["latest"]["resources"]
        (urn,) = (each["urn"] for each in resources if each["urn"].endswith(f"::{name}"))
        return str(urn)

    def _without_places(self, text: str) -> str:
        """Leave out where on this machine something is, as an error's traceback says it."""
        for path, word in (
            (self._project, "PROJECT"),
            ((ROOT / ".tools").resolve().parent, "REPOSITORY"),
            ((ROOT / ".venv").resolve().parent, "REPOSITORY"),
            (ROOT, "REPOSITORY"),
            (sys.base_prefix, "PYTHON"),
        ):
            text = text.replace(str(path), word)
        return text
