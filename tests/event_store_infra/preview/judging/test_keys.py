"""What is still encrypted with a key keeps it: no update takes the right to use an earlier key away."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml

from event_store_infra.preview.plan.plan import Plan
from local_gcp.recorded.iam import KEY_IAM_MEMBER
from tests.local_gcp.conftest import Stack

KEY = "projects/keys/locations/europe-west1/keyRings/store/cryptoKeys/{}"
OLD, NEW = KEY.format("old"), KEY.format("new")
BUS = """
from event_store.topology import Topology
from event_store_infra.components.bus import EventBus, EventBusArgs
topology = Topology.parse({topology!r}, "topology.yaml")
EventBus("bus", EventBusArgs(project="p-1", region="europe-west1", prefix="store", topology=topology,
    labels={{}}, is_delivered={is_delivered}))
"""
DATABASE = """
from event_store_infra.components.database.database import Database, DatabaseArgs
from event_store_infra.settings import DatabaseSettings
from event_store_infra.settings.database.database import RestoreSettings
given = {settings!r}
if "restore_from" in given:
    given["restore_from"] = RestoreSettings(**given["restore_from"])
settings = DatabaseSettings(**given)
kept = {{each: f"store-{{each}}" for each in settings.kept_generations}}
Database("database", DatabaseArgs(project="p-1", region="europe-west1", replica="", kept=kept,
    instance=f"store-{{settings.generation}}",
    network_id="projects/p-1/global/networks/store", subnetwork_id="", settings=settings, protected=False,
    labels={{}}, is_delivered={is_delivered}))
"""
# The same component as it was when the grant on its only key was not named by the key.
BEFORE = (
    """
from pulumi_gcp import kms
made = kms.CryptoKeyIAMMember
kms.CryptoKeyIAMMember = lambda name, **arguments: made("database-key", **arguments)
"""
    + DATABASE
)
Inputs = Mapping[str, Any]


def _bus(*topics: Inputs, is_delivered: bool = False) -> str:
    named = [{"name": f"words-{index}", **each} for index, each in enumerate(topics)]
    subscriptions = [{"name": "reader", "topic": "words-0"}]
    text = yaml.safe_dump({"topics": named, "subscriptions": subscriptions, "unrouted": "refuse"})
    return BUS.format(topology=text, is_delivered=is_delivered)


def _database(settings: Inputs, *, is_delivered: bool = False, program: str = DATABASE) -> str:
    return program.format(settings=dict(settings), is_delivered=is_delivered)


def _granted(stack: Stack) -> list[str]:
    return sorted(each.inputs["cryptoKeyId"] for each in stack.cloud.records.of_type(KEY_IAM_MEMBER.type))


async def _steps(stack: Stack) -> list[tuple[str, str]]:
    """Return what the engine would do with grants on keys."""
    answer = await stack.run("preview", "--json")
    assert answer.code == 0, answer.output
    steps = Plan.parse(answer.output).steps
    return [(each.op, each.new["cryptoKeyId"]) for each in steps if each.type == KEY_IAM_MEMBER.type]


FIRST = {"kms_key": OLD}
LATER = {"generation": 2, "kept_generations": (1,)}
RESTORE = {"instance": "store-1", "time": "2026-01-31T08:00:00Z"}


@pytest.mark.parametrize(
    ("program", "first", "then"),
    [
        (_bus, {"kmsKeyName": OLD}, {"kmsKeyName": NEW, "earlierKmsKeyNames": [OLD]}),
        (_database, FIRST, {**LATER, "kms_key": NEW, "earlier_kms_keys": (OLD,)}),
    ],
    ids=["topic", "database"],
)
async def test_the_grant_on_an_earlier_key_stays(
    program: Callable[[Inputs], str], first: Inputs, then: Inputs, stack: Stack
) -> None:
    """Another key is granted beside it, and nothing is deleted or made anew."""
    stack.write(program(first))
    await stack.must_up()
    before = _granted(stack)
    stack.write(program(then))
    planned = await _steps(stack)
    await stack.must_up()

    assert before == [OLD]
    assert planned == [("create", NEW)]
    assert _granted(stack) == [NEW, OLD]


@pytest.mark.parametrize(
    ("program", "first", "then"),
    [
        (_bus, {"kmsKeyName": OLD}, {"earlierKmsKeyNames": [OLD]}),
        (_database, FIRST, {**LATER, "earlier_kms_keys": (OLD,)}),
    ],
    ids=["topic", "database"],
)
async def test_a_key_that_is_no_longer_used_keeps_its_grant(
    program: Callable[[Inputs], str], first: Inputs, then: Inputs, stack: Stack
) -> None:
    """What comes is encrypted with Google's own key, and what is kept can be read."""
    stack.write(program(first))
    await stack.must_up()
    stack.write(program(then))

    assert await _steps(stack) == []


async def test_topics_that_share_a_key_share_its_grant(stack: Stack) -> None:
    """The present key of one is an earlier one of another, which takes it from nobody when it forgets it."""
    stack.write(_bus({"kmsKeyName": OLD}, {"kmsKeyName": NEW, "earlierKmsKeyNames": [OLD]}))
    await stack.must_up()
    both = _granted(stack)
    stack.write(_bus({"kmsKeyName": OLD}, {"kmsKeyName": NEW}))

    assert both == [NEW, OLD]
    assert await _steps(stack) == []


async def test_a_kept_generation_s_key_cannot_be_forgotten(stack: Stack) -> None:
    """Preview and update name the key that the stack's file lacks, and the grant on it stays."""
    stack.write(_database(FIRST))
    await stack.must_up()
    stack.write(_database({**LATER, "kms_key": NEW}))
    refused = [await stack.run("preview"), await stack.up()]

    for answer in refused:
        assert answer.code != 0
        assert (
            "event-store:database.earlier_kms_keys lacks the key of generation 1, which is kept: "
            f"add {OLD}\n" in answer.output
        )
        assert "Traceback" not in answer.output
    assert OLD in _granted(stack)


@pytest.mark.parametrize(
    ("own", "refused"),
    [
        ({"kms_key": NEW, "earlier_kms_keys": (OLD,)}, f"kms_key is {NEW}"),
        ({"earlier_kms_keys": (OLD,)}, "kms_key is empty"),
        ({"kms_key": OLD}, ""),
    ],
)
async def test_a_clone_keeps_the_key_of_its_source(own: Inputs, refused: str, stack: Stack) -> None:
    """Google takes no other one for a clone, and the next update would replace the restored instance."""
    stack.write(_database(FIRST))
    await stack.must_up()
    stack.write(_database({**LATER, **own, "restore_from": RESTORE}))
    answer = await stack.run("preview")

    assert (answer.code != 0) is bool(refused)
    if refused:
        assert f"{refused}, but a clone keeps the key of store-1: set it to {OLD}\n" in answer.output


async def test_a_grant_from_before_is_taken_over(stack: Stack) -> None:
    """A stack whose grant was not named by its key has nothing to change, and may change its key at once."""
    stack.write(_database(FIRST, program=BEFORE))
    await stack.must_up()
    stack.write(_database(FIRST))
    same = await _steps(stack)
    stack.write(_database({**LATER, "kms_key": NEW, "earlier_kms_keys": (OLD,)}))
    await stack.must_up()

    assert same == []
    assert _granted(stack) == [NEW, OLD]


@pytest.mark.parametrize(
    ("program", "inputs"),
    [
        (_bus, {"kmsKeyName": NEW, "earlierKmsKeyNames": [OLD]}),
        (_database, {**LATER, "kms_key": NEW, "earlier_kms_keys": (OLD,)}),
    ],
    ids=["topic", "database"],
)
async def test_where_ci_deploys_the_keys_owner_grants(
    program: Callable[..., str], inputs: Inputs, stack: Stack
) -> None:
    """Earlier keys are taken, and the stack grants on none."""
    stack.write(program(inputs, is_delivered=True))

    assert await _steps(stack) == []
