"""One of our own stacks on the local Google Cloud."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Final

import psycopg
import yaml

from event_store import Client, ExpectedVersion, NewEvent, RecordedEvent
from event_store.model.events import new_event_id
from event_store_infra.settings import Settings
from local_gcp.postgres.server.instances import Instances
from tests.local_gcp.conftest import Answer, Deployed, LocalCloud
from tests.pubsub_emulator.bus import bus_at
from tools import ROOT
from tools.local_stack.preview import DRIFT

PATIENCE_SECONDS: Final = 60
WORDS: Final = ("ahoj", "děkuji")


class DeployedEnvironment(Deployed):
    """One of our own stacks, whose file the test may change."""

    def __init__(self, folder: Path, name: str, cloud: LocalCloud) -> None:
        folder.mkdir()
        for linked in ("infra", ".venv"):  # the program itself, where Pulumi.yaml looks for it
            (folder / linked).symlink_to(ROOT / linked)
        (folder / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
        super().__init__(folder, name, cloud.assembly, cloud.providers)
        self.name = name
        self.local_cloud = cloud
        self._file = folder / f"Pulumi.{name}.yaml"
        self._config = yaml.safe_load((ROOT / self._file.name).read_text())["config"]
        self.project = str(self._config["gcp:project"])
        self.change({})

    def change(self, changes: dict[str, Any]) -> None:
        """Write the stack's file: our own, with these keys in place of its own."""
        self._config |= changes
        self._file.write_text(yaml.safe_dump({"config": self._config}))

    async def rollout(self, command: str, *arguments: str) -> None:
        """Run one of the commands of `event_store_infra.rollout`, which change the stack's file."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "event_store_infra.rollout", command, *arguments),
            *("--stack", self._pulumi._stack, "--folder", str(self.directory)),
            env=self._pulumi._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        self._config = yaml.safe_load(self._file.read_text())["config"]

    @property
    def is_protected(self) -> bool:
        """Whether what holds data is kept from being deleted by mistake."""
        return Settings.parse({key: _text(value) for key, value in self._config.items()}).protected

    @property
    def endpoints(self) -> dict[str, Any]:
        """Where everything listens."""
        return self.local_cloud.assembly.endpoints()

    async def must_stay(self, command: str) -> None:
        """Run a command that must find nothing to change."""
        answer = await self.run(
            command, "--expect-no-changes", *(["--yes", "--skip-preview"] * (command == "refresh"))
        )
        assert answer.code == 0, answer.output

    async def drift(self) -> Answer:
        """Compare what stands with the program, as the workflow does every night."""
        return await self.run("preview", *DRIFT)

    async def must_not_drift(self) -> None:
        """See that what stands is what the program declares."""
        answer = await self.drift()
        assert answer.code == 0, answer.output

    async def must_leave_nothing(self) -> None:
        """Lift its protection, and destroy it whole."""
        await self.must_go()
        assert list(self.cloud.records) == []

    async def must_go(self) -> None:
        """Lift its protection, and destroy it."""
        self.change({"event-store:protected": False})
        await self.must_up()
        await self.must_destroy()

    async def must_carry_events(self) -> None:
        """Append events, and see them come out of the subscription."""
        events = [NewEvent("WordAdded", {"word": word}) for word in WORDS]
        subscription = f"projects/{self.project}/subscriptions/vocabulary-projection"
        async with Client(self.endpoints["service"], timeout_seconds=PATIENCE_SECONDS) as client:
            await client.append(
                new_event_id(), "Vocabulary", events, expected_version=ExpectedVersion.NO_STREAM
            )
        async with bus_at(self.endpoints["pubsub_emulator_host"]) as bus:
            received = await bus.consume(subscription, len(events))
        assert [each.message.attributes["event_id"] for each in received] == [
            event.event_id for event in events
        ]

    @property
    def logs(self) -> Path:
        """Where its containers' logs are."""
        return self.services._runner._processes._logs

    @property
    def instances(self) -> Instances:
        """The instances of the database."""
        return self.local_cloud.assembly.instances

    async def read(self, from_position: int = 0, limit: int = 0) -> list[RecordedEvent]:
        """Read the log, or a part of it, through the service."""
        async with Client(self.endpoints["service"], timeout_seconds=PATIENCE_SECONDS) as client:
            return [event async for event in client.read_all(from_position=from_position, limit=limit)]

    def execute(self, statement: str) -> None:
        """Run a statement as the owner of the tables."""
        with psycopg.connect(self.endpoints["postgres"], autocommit=True) as connection:
            connection.execute(statement.encode())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
