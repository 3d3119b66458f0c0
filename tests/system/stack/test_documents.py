"""The blocks of the documents work on the stack as it is shipped, with the repository's own topology."""

import asyncio
import os
import re
import subprocess
import uuid
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from event_store import Client, ExpectedVersion, NewEvent
from local_gcp.postgres.server.binaries import find_binaries
from tests.conftest import NEWEST
from tests.documents import blocks
from tests.system.stack.conftest import ROOT, RunningStack

PATIENCE_SECONDS: Final = 120
SHELL: Final = ("sh", "bash", "console")
# What stands here in the place of a block's commands: of the folder's own stack, of one that never ends by
# itself, and of one that is no part of what `make up` needs.
PRELUDE: Final = """
set -e
make() { [ "${!#}" = status ] && python -m tools.local_stack --state-directory "$STATE" status; }
event-store() {
    [ "$1" = tail ] || { command event-store "$@"; return; }
    exec 3< <(exec event-store "$@")
    read -r first <&3
    kill $!
    echo "$first"
}
grpcurl() { echo "$*"; }
"""
_GOOGLE: Final = "needs Google Cloud, and a project of one's own"
_WALK: Final = (
    "is run by tests/system/deploy/test_deploy_document.py, on a cloud of its own, as whom the page says"
)
# By the page and the first line of the block.
RUN: Final = {
    ("docs/start/first-events.md", "export PATH=$PWD/.venv/bin:$PATH"),
    ("docs/howto/appending.md", "event-store parked list"),
    (
        "docs/howto/subscriptions.md",
        "event-store read --from-time 2026-11-01T00:00:00Z --aggregate-type Vocabulary",
    ),
    ("docs/howto/subscriptions.md", "event-store tail --from 1 --event-type 'Word*'"),
}
NOT_RUN: Final = {
    "is what runs this very test, and what brings up the stack of this folder": (
        ("README.md", "make up"),
        ("CONTRIBUTING.md", "make setup"),
    ),
    "is run by tests/event_store_infra: it takes no stack": (("README.md", "make preview STACK=dev"),),
    _WALK: (
        ("docs/howto/deploy.md", "make setup && export PATH=$PWD/.venv/bin:$PWD/.tools/pulumi/bin:$PATH"),
        ("docs/howto/deploy.md", "gcloud services enable storage.googleapis.com cloudkms.googleapis.com"),
        ("docs/howto/deploy.md", "rm Pulumi.prod.yaml"),
        ("docs/howto/deploy.md", "cd infra/bootstrap"),
        ("docs/howto/deploy.md", "pulumi stack export --stack prod"),
        ("docs/howto/deploy.md", "pulumi config set event-store:deployer"),
        ("docs/howto/deploy.md", "export PULUMI_BACKEND_URL=gs://team-dev-state"),
        ("docs/howto/deploy.md", "number=$(gcloud projects describe team-prod"),
        ("docs/howto/deploy.md", "make preview STACK=prod"),
        ("docs/howto/deploy.md", "make canary STACK=prod PERCENT=10"),
        ("docs/howto/deploy.md", "make rollback STACK=prod"),
        ("docs/howto/deploy.md", "gh run list --workflow deploy.yml"),
        ("docs/howto/deploy.md", "pulumi config set event-store:protected false --stack prod"),
    ),
    _GOOGLE: (
        ("README.md", "make setup && export PATH=$PWD/.venv/bin:$PWD/.tools/pulumi/bin:$PATH"),
        ("docs/howto/alloydb.md", "pulumi config set --path event-store:database.engine alloydb"),
        ("docs/howto/restore.md", "gcloud sql instances patch event-store-1 --no-deletion-protection"),
        ("docs/howto/runbook.md", "python -m examples.dead_letter_canary"),
        ("docs/howto/runbook.md", "gcloud sql ssl server-ca-certs create --instance event-store-1"),
    ),
    "has a store, a project or ids of its own; tests/event_store runs it": (
        ("docs/howto/importing.md", "event-store import --import-id vocabulary-2019 < events.jsonl"),
        ("docs/howto/replaying.md", "event-store replay start vocabulary-replay"),
        ("docs/howto/replaying.md", "event-store replay seek vocabulary-projection"),
        ("docs/howto/consumers.md", "event-store dead-letters list vocabulary-projection"),
        ("examples/vocabulary_projection/README.md", "python -m examples.vocabulary_projection"),
    ),
    "needs no stack; tests/event_store/contract/test_contract.py runs it in an empty folder": (
        ("docs/reference/contract.md", 'cp -R "$EVENT_STORE_CLONE/service/proto" proto'),
    ),
    "installs a package that is on no registry yet": (
        ("service/README.md", "pip install gcp-event-store"),
        ("infra/README.md", "pip install gcp-event-store-infra"),
        ("local/pulumi-local-gcp/README.md", "pip install pulumi-local-gcp"),
        ("local/pubsub-emulator/README.md", "pip install pubsub-emulator"),
    ),
}
PARK: Final = """
    INSERT INTO parked_messages (global_position, topic, event_id, ordering_key, error, attempts)
    SELECT global_position, 'projects/event-store-local/topics/' || topic, event_id, '', 'refused', 1
    FROM events, unnest(ARRAY['vocabulary-events', 'progress-events']) AS topic
    WHERE event_id = '0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001'
"""


def _pages() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / each for each in listed.stdout.split()]


def _shell_blocks() -> dict[tuple[str, str], str]:
    return {
        (str(page.relative_to(ROOT)), block.splitlines()[0]): block
        for page in _pages()
        for block in blocks(page, *SHELL)
    }


def _named(listed: tuple[str, str]) -> tuple[str, str]:
    """Return the block whose first line begins with what is listed."""
    (found,) = (each for each in _shell_blocks() if each[0] == listed[0] and each[1].startswith(listed[1]))
    return found


def test_every_shell_block_is_run_or_has_a_reason() -> None:
    """A new block of README, docs or examples is noticed here, and one that has gone."""
    known = [*RUN, *(each for listed in NOT_RUN.values() for each in listed)]
    found = [_named(each) for each in known]

    assert len({*found}) == len(found)
    assert {*found} == _shell_blocks().keys()


def test_every_make_target_of_the_documents_is_there() -> None:
    """Each `make …` of a block or a sentence is one that the Makefile knows, with variables that it reads."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    text = "\n".join(page.read_text("utf-8") for page in _pages())
    called = {
        each.split()[1]: each for each in re.findall(r"(?:^|`)(make [a-z]+[^`\n#|&]*)", text, re.MULTILINE)
    }
    given = {name for each in called.values() for name in re.findall(r"\b([A-Z]+)=", each)}

    assert len(called) > 10
    assert {each for each in called if not re.search(rf"^{each}:", makefile, re.MULTILINE)} == set()
    assert {each for each in given if f"$({each})" not in makefile and f"{each}=" not in makefile} == set()


async def _execute(stack: RunningStack, block: str, folder: Path) -> str:
    """Run a block by a shell, in the repository, with a developer's variables."""
    status = stack.status
    database = conninfo_to_dict(status["postgres"])
    variables = {
        **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
        "PATH": os.pathsep.join(
            [str(ROOT / ".venv" / "bin"), os.environ["PATH"], str(find_binaries(NEWEST).directory)]
        ),
        "STATE": str(stack.state_directory),
        "TMPDIR": str(folder),
        "EVENT_STORE_TARGET": status["service"],
        "PUBSUB_EMULATOR_HOST": status["pubsub_emulator_host"],
        "PGHOST": str(database["host"]),
        "PGPORT": str(database["port"]),
        "PGUSER": str(database["user"]),
        "PGPASSWORD": str(database.get("password", "")),
        "PGDATABASE": str(database["dbname"]),
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", PRELUDE + block),
        cwd=ROOT,
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, output.decode()
    return output.decode()


@pytest.mark.parametrize("listed", sorted(RUN), ids=" ".join)
async def test_a_shell_block_runs_as_it_is_printed(
    stack: RunningStack, tmp_path: Path, listed: tuple[str, str]
) -> None:
    """Each command of it ends well on a stack that somebody has just brought up."""
    if "parked" in listed[1]:
        async with Client(stack.status["service"]) as client:
            event = NewEvent("WordAdded", {"word": "pes"}, event_id="0198c2a4-5b1c-7cc0-a6ab-3f6ad1e0b001")
            await client.append(
                str(uuid.uuid4()), "Vocabulary", [event], expected_version=ExpectedVersion.ANY
            )
        with psycopg.connect(stack.status["postgres"]) as connection:
            connection.execute(PARK)

    output = await _execute(stack, _shell_blocks()[_named(listed)], tmp_path)

    assert "Added" in output or "vocabulary-events" in output, output
