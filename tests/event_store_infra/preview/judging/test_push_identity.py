"""The push identity stays the same, whether a subscription pushes or not: owners of endpoints let it in."""

from typing import Any

import pytest
import yaml

from event_store_infra.preview.plan.plan import Plan
from local_gcp.recorded.iam import ACCOUNT, ACCOUNT_IAM_MEMBER
from tests.local_gcp.conftest import Stack

PUSH = {"pushConfig": {"pushEndpoint": "https://words.example.com/events"}}
PROGRAM = """
from event_store.topology import Topology
from event_store_infra.components.bus import EventBus, EventBusArgs
topology = Topology.parse({topology!r}, "topology.yaml")
EventBus("bus", EventBusArgs(project="p-1", region="europe-west1", prefix="store", topology=topology,
    labels={{}}, {arguments}))
"""


def _program(delivery: dict[str, Any], arguments: str = "keeps_push_identity=True") -> str:
    text = yaml.safe_dump(
        {"topics": [{"name": "words"}], "subscriptions": [{"name": "reader", "topic": "words", **delivery}]}
    )
    return PROGRAM.format(topology=text, arguments=arguments)


def _types(stack: Stack) -> list[str]:
    kinds = (ACCOUNT.type, ACCOUNT_IAM_MEMBER.type)
    return [each.type for each in stack.cloud.records if each.type in kinds]


async def test_the_push_identity_outlives_the_last_push_subscription(stack: Stack) -> None:
    """It loses its own rights with the last push and gets them back with the next, and is not made anew."""
    stack.write(_program(PUSH))
    await stack.must_up()
    pushing = _types(stack)
    stack.write(_program({}))
    await stack.must_up()
    pulling = _types(stack)
    stack.write(_program(PUSH))
    answer = await stack.run("preview", "--json")

    assert sorted(pushing) == sorted([ACCOUNT.type, ACCOUNT_IAM_MEMBER.type])
    assert pulling == [ACCOUNT.type]
    assert [each.type for each in Plan.parse(answer.output).steps if "serviceaccount" in each.type] == [
        ACCOUNT_IAM_MEMBER.type
    ]


@pytest.mark.parametrize("arguments", ["", "keeps_push_identity=True, is_delivered=True"])
async def test_an_identity_is_made_for_nobody_who_did_not_ask(arguments: str, stack: Stack) -> None:
    """Neither in another team's program, nor where the bootstrap has made it."""
    stack.write(_program({}, arguments))
    answer = await stack.run("preview", "--json")

    assert answer.code == 0, answer.output
    assert not [each for each in Plan.parse(answer.output).steps if "serviceaccount" in each.type]
