"""The local Google Cloud lives in a background process that loses nothing and leaves nothing behind."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psycopg
import pytest
from google.pubsub_v1 import SubscriberClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local_gcp.daemon import background
from local_gcp.daemon.state_directory import State
from local_gcp.system.ports import free_port
from tests.local_gcp.conftest import PROGRAMS

ROOT = Path(__file__).resolve().parents[3]
TIMEOUT_SECONDS = 120
WORKER = "100007"  # for so many seconds it runs, and by this it is known
PROGRAM = f"""
import pulumi
from pulumi_gcp import cloudrunv2, pubsub, sql
topic = pubsub.Topic("topic", name="words")
subscription = pubsub.Subscription("subscription", name="projection", topic=topic.id,
    expiration_policy={{"ttl": ""}})
instance = sql.DatabaseInstance("instance", name="store", database_version="POSTGRES_18",
    deletion_protection=False, settings={{"tier": "db-custom-1-3840", "edition": "ENTERPRISE"}})
database = sql.Database("database", instance=instance.name, name="words", deletion_policy="ABANDON")
user = sql.User("user", instance=instance.name, name="owner@p-1.iam", type="CLOUD_IAM_SERVICE_ACCOUNT",
    database_roles=["cloudsqlsuperuser"], deletion_policy="ABANDON")
cloudrunv2.Service("greeter", name="greeter", location="europe-west1", deletion_protection=False,
    template={{"containers": [{{"image": "i", "commands": ["python"], "args": ["{PROGRAMS}/greeter.py"],
        "envs": [{{"name": "VERSION", "value": "1"}}], "startup_probe": {{"grpc": {{"port": 8080}}}}}}]}})
cloudrunv2.WorkerPool("worker", name="worker", location="europe-west1", deletion_protection=False,
    template={{"containers": [{{"image": "i", "commands": ["sleep"], "args": ["{WORKER}"]}}]}})
"""
JOB = """
from pulumi_gcp import cloudrunv2
cloudrunv2.Job("job", name="job", location="europe-west1", deletion_protection=False,
    run_execution_token="{execution}",
    template={{"template": {{"max_retries": 0, "containers": [{{"image": "i", "commands": ["sh"],
        "args": ["-c", "{script}"]}}]}}}})
"""


@dataclass(frozen=True, slots=True)
class Local:
    """A project of the test's own and the local Google Cloud that it is brought up on."""

    directory: Path

    @property
    def state(self) -> State:
        return State(self.directory / "state")

    def write(self, program: str) -> None:
        (self.directory / "__main__.py").write_text(program)

    def command(self, *arguments: str) -> list[str]:
        options = ("--state-directory", str(self.state.directory), "--project", str(self.directory))
        return [sys.executable, "-m", "local_gcp", *options, *arguments]

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments),
            cwd=ROOT,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )

    def up(self) -> str:
        ports = [f"--{name}-port={free_port()}" for name in ("service", "postgres", "pubsub")]
        answer = self.run("up", *([] if self.state.settings.exists() else ports))
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def status(self) -> Any:
        answer = self.run("status")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def processes(self) -> list[int]:
        """The daemon and everything below it."""
        daemon = background.find(self.state)
        assert daemon is not None
        found = [daemon.pid]
        for pid in found:
            with suppress(FileNotFoundError):  # it ended meanwhile
                for task in Path(f"/proc/{pid}/task").iterdir():  # a child is that of a thread
                    found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def workers(self) -> list[int]:
        """Those of the daemon's processes that run the worker pool's command."""
        return [
            pid for pid in self.processes() if WORKER.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]


Make = Callable[[str], Local]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Makes projects; whatever runs of them in the end is taken down and purged."""
    made: list[Local] = []

    def make(program: str) -> Local:
        local = Local(tmp_path_factory.mktemp("project"))
        (local.directory / "Pulumi.yaml").write_text("name: project\nruntime: python\n")
        (local.directory / "Pulumi.local.yaml").write_text(
            "config:\n  gcp:project: p-1\n  gcp:region: europe-west1\n"
        )
        local.write(program)
        made.append(local)
        return local

    yield make
    for local in made:
        answer = local.run("down", "--purge")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert {path.suffix for path in local.state.directory.glob("*")} <= {".lock"}


@pytest.fixture(scope="module")
def local(make: Make) -> Local:
    """A project with a bus, a database, a service and a worker pool, up."""
    local = make(PROGRAM)
    local.up()
    return local


def _await_end(pids: list[int]) -> None:
    """Wait until none of these processes is left."""
    deadline = time.monotonic() + 20
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        readable, _, _ = select.select([descriptor], [], [], deadline - time.monotonic())
        os.close(descriptor)
        assert readable, f"process {pid} is still there"


def _greet(address: str) -> bytes:
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        answer: bytes = channel.unary_unary("/Greeter/Greet")(b"", timeout=30, wait_for_ready=True)
        return answer


def _subscriptions(address: str) -> list[str]:
    with grpc.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),)) as channel:
        client = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        return [each.name for each in client.list_subscriptions(project="projects/p-1", timeout=10)]


def test_a_killed_daemon_takes_its_children_along_and_the_next_one_restores_all(local: Local) -> None:
    """No orphan is left, its announcement deceives nobody, and everything that was up is there again."""
    before = local.status()
    with psycopg.connect(before["postgres"], autocommit=True) as connection:
        connection.execute("CREATE TABLE words AS SELECT 'ahoj' AS word")
    processes, workers = local.processes(), local.workers()

    os.kill(processes[0], signal.SIGKILL)
    _await_end(processes)
    down = local.run("status")
    output = local.up()
    after = local.status()

    assert len(processes) > 2  # PostgreSQL and the service, at least
    assert down.returncode == 1
    assert "is not up" in down.stderr
    assert "8 unchanged" in output
    assert after == before
    assert len(workers) == len(local.workers()) == 1
    assert _greet(after["service"]) == b"1"
    assert _subscriptions(after["pubsub_emulator_host"]) == ["projects/p-1/subscriptions/projection"]
    with psycopg.connect(after["postgres"]) as connection:
        assert connection.execute("SELECT word FROM words").fetchall() == [("ahoj",)]


def test_up_again_keeps_the_daemon(local: Local) -> None:
    """The second `up` finds the first one's daemon, and no change."""
    local.up()
    processes = local.processes()

    output = local.up()

    assert "Local Google Cloud ... runs" in output
    assert "8 unchanged" in output
    assert local.processes()[0] == processes[0]


def test_two_state_directories_are_two_clouds(local: Local, make: Make) -> None:
    """Another one beside it has its own ports and resources, and its end is not the other's."""
    local.up()
    other = make('import pulumi\nfrom pulumi_gcp import pubsub\npubsub.Topic("topic", name="other")\n')
    other.up()

    topics = [each.status()["topics"] for each in (local, other)]
    answer = other.run("down")

    assert topics == [["words"], ["other"]]
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert local.status()["topics"] == ["words"]


def test_down_leaves_nothing_running_and_keeps_the_data(local: Local) -> None:
    """`down` ends every process; the next `up` finds what the database held."""
    local.up()
    with psycopg.connect(local.status()["postgres"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (word text)")
    processes = local.processes()

    down = local.run("down")
    _await_end(processes)
    again = local.run("down")
    local.up()

    assert down.returncode == again.returncode == 0
    with psycopg.connect(local.status()["postgres"]) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_taken_port_is_named_and_nothing_is_left(make: Make) -> None:
    """The message says which port and how to choose another; no daemon stays behind."""
    local = make("import pulumi\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        answer = local.run("up", f"--postgres-port={port}")

    assert answer.returncode == 1
    assert f"port {port} on 127.0.0.1 cannot be used" in answer.stderr
    assert "--postgres-port" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not local.state.is_locked("daemon")


def test_a_missing_java_is_named(make: Make, tmp_path: Path) -> None:
    """The emulator is asked for and cannot run: the message says what to install, or to do without."""
    local = make("import pulumi\n")

    answer = local.run("up", LOCAL_GCP_PUBSUB="emulator", PATH=str(tmp_path))

    assert answer.returncode == 1
    assert "`java`" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not local.state.is_locked("daemon")


def test_a_program_that_fails_leaves_nothing_behind(make: Make) -> None:
    """An `up` that made nothing stops the daemon that it started."""
    local = make('import pulumi\nraise pulumi.RunError("the settings are wrong")\n')

    answer = local.run("up")

    assert answer.returncode == 1
    assert "the settings are wrong" in answer.stdout
    assert not local.state.is_locked("daemon")


def test_a_killed_update_does_not_block_the_next_one(make: Make, tmp_path: Path) -> None:
    """Pulumi is killed while a job runs: the job ends with it, and the next update goes on."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    script = JOB.format(execution="1", script=f"echo started > {fifo}; exec sleep 1000")
    local = make(
        'import pulumi\nfrom pulumi_gcp import pubsub\npubsub.Topic("topic", name="words")\n' + script
    )
    with subprocess.Popen(
        local.command("up"), cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True
    ) as update:
        fifo.read_text()  # the job has begun
        sleeping = local.processes()[1:]
        os.killpg(update.pid, signal.SIGKILL)
        _await_end(sleeping)

    local.write(
        'import pulumi\nfrom pulumi_gcp import pubsub\npubsub.Topic("topic", name="words")\n'
        + JOB.format(execution="2", script="true")
    )
    output = local.up()
    again = local.up()

    assert shutil.which("pulumi") is None or "error" not in output
    assert "3 unchanged" in again


def test_a_preview_makes_nothing_and_changes_no_file(make: Make) -> None:
    """`preview` needs no account, starts no daemon and leaves the stack's file as it is."""
    local = make(PROGRAM)
    before = {path: path.read_bytes() for path in local.directory.iterdir()}

    answer = local.run("preview", "local", "--json")
    unknown = local.run("preview", "prod")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert json.loads(answer.stdout)["changeSummary"] == {"create": 8}
    assert unknown.returncode == 1
    assert "stack 'prod' does not exist" in unknown.stderr
    assert {path: path.read_bytes() for path in local.directory.iterdir() if path.is_file()} == before
    assert not local.state.directory.exists()
