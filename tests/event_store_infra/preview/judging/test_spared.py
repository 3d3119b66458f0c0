"""What holds nothing of its own goes without an acknowledgement, and only while what it copies stays."""

from collections.abc import Mapping
from typing import Any

import pytest

from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.judging.test_obstacles import CLUSTER, PRIMARY, REPLICA
from tests.event_store_infra.preview.steps import plan_of, step_of
from tests.local_gcp.conftest import Stack

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE = "gcp:sql/database:Database"
CLUSTER_TYPE = "gcp:alloydb/cluster:Cluster"
NODE = "gcp:alloydb/instance:Instance"
TOPIC = "gcp:pubsub/topic:Topic"
SCHEMA = "gcp:pubsub/schema:Schema"
PATH = "projects/p-1/locations/europe-west1/clusters/store"

Inputs = dict[str, Any]


def _refused(*steps: Mapping[str, Any]) -> list[str]:
    return [each.step.name for each in judge(plan_of(*steps)).refused]


PRIMARY_GOES = step_of("delete", INSTANCE, "primary", {"name": "store"})
PRIMARY_GOES = step_of("delete", INSTANCE, "primary", {"name": "store"})
FOLLOWS = {"name": "store-replica", "masterInstanceName": "store"}
REPLICA_GOES = step_of("delete", INSTANCE, "replica", FOLLOWS)
POOL_GOES = step_of("delete", NODE, "pool", {"instanceType": "READ_POOL", "cluster": PATH})
ABANDONED = step_of("delete", DATABASE, "words", {"instance": "store", "deletionPolicy": "ABANDON"})
CLONE = step_of(
    "create", INSTANCE, "store-2", new={"name": "store-2", "clone": {"sourceInstanceName": "store"}}
)
EMPTY = step_of("create", INSTANCE, "store-2", new={"name": "store-2"})
SCHEMA_GOES = step_of("delete", SCHEMA, "shape", {"name": "shape"}, id="projects/p-1/schemas/shape")
SHAPED = {"name": "words", "schemaSettings": {"schema": "projects/p-1/schemas/shape", "encoding": "JSON"}}
RELEASED = step_of("update", TOPIC, "words", SHAPED, {"name": "words"})


async def test_a_replica_goes_without_an_acknowledgement(stack: Stack) -> None:
    """On a real plan: it passes, and the summary says where the log stays; with its primary it is refused."""
    primary = PRIMARY.format(version="POSTGRES_17", primary="")
    stack.write(primary + REPLICA.format(version="POSTGRES_17", replica=""))
    await stack.must_up()
    stack.write(primary)
    plan = Plan.parse((await stack.run("preview", "--json")).output)
    verdict = judge(plan)
    stack.write("")
    both = judge(Plan.parse((await stack.run("preview", "--json")).output))

    assert verdict.passes
    assert [(step.op, step.name) for step, _ in verdict.spared] == [("delete", "replica")]
    assert "all of it is in its primary, which stays" in render("prod", plan, verdict)
    assert {each.step.name for each in both.refused} == {"primary", "replica"}


async def test_a_read_pool_goes_without_an_acknowledgement(stack: Stack) -> None:
    """On a real plan: a pool's deletion passes; the primary's does not, though both are of one type."""
    whole = CLUSTER.format(version="POSTGRES_17", network="net", primary=500, pool=500)
    without_pool, _ = whole.split('alloydb.Instance("pool"')
    cluster, _ = without_pool.split("primary = alloydb.Instance(")
    stack.write(whole)
    await stack.must_up()
    stack.write(without_pool)
    verdict = judge(Plan.parse((await stack.run("preview", "--json")).output))
    stack.write(cluster)
    both = judge(Plan.parse((await stack.run("preview", "--json")).output))

    assert verdict.passes
    assert [step.name for step, _ in verdict.spared] == ["pool"]
    assert [each.step.name for each in both.refused] == ["primary"]


@pytest.mark.parametrize(
    "steps",
    [
        [REPLICA_GOES],
        [
            REPLICA_GOES,
            step_of("update", INSTANCE, "primary", {"name": "store"}),
        ],
        [POOL_GOES],
        [POOL_GOES, step_of("update", CLUSTER_TYPE, "cluster", {"clusterId": "store"})],
        [ABANDONED, CLONE],
        [SCHEMA_GOES, RELEASED],
    ],
)
def test_what_stays_elsewhere_is_not_lost(steps: list[Inputs]) -> None:
    """What stays elsewhere asks for nothing: replica, pool, what a restore leaves, schema out of use."""
    plan = plan_of(*steps)
    verdict = judge(plan)
    summary = render("prod", plan, verdict)

    assert verdict.passes
    assert [step.name for step, _ in verdict.spared] == [steps[0]["urn"].rpartition("::")[2]]
    assert "loses no data" in summary
    assert "### Goes without a loss" in summary


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([REPLICA_GOES, PRIMARY_GOES], id="both go"),
        pytest.param(
            [REPLICA_GOES, step_of("replace", INSTANCE, "primary", {"name": "store"})], id="primary anew"
        ),
        pytest.param(
            [REPLICA_GOES, step_of("create", INSTANCE, "primary", new={"name": "store"})], id="last copy"
        ),
        pytest.param(
            [step_of("delete", INSTANCE, "replica", FOLLOWS, outputs={"name": "store-replica"})],
            id="promoted",
        ),
        pytest.param([PRIMARY_GOES], id="no replica"),
        pytest.param(
            [POOL_GOES, step_of("delete", CLUSTER_TYPE, "cluster", {"clusterId": "store"})], id="cluster goes"
        ),
        pytest.param(
            [step_of("delete", NODE, "pool", {"instanceType": "PRIMARY", "cluster": PATH})], id="primary"
        ),
        pytest.param([ABANDONED], id="no other instance"),
        pytest.param([ABANDONED, EMPTY], id="an empty log instead"),
        pytest.param(
            [ABANDONED, CLONE, step_of("delete", INSTANCE, "store", {"name": "store"})], id="source goes"
        ),
        pytest.param(
            [step_of("delete", DATABASE, "words", {"instance": "store"}), CLONE], id="really deleted"
        ),
        pytest.param(
            [ABANDONED, step_of("create", INSTANCE, "x", new={"clone": {"sourceInstanceName": "other"}})],
            id="clone of another",
        ),
        pytest.param([SCHEMA_GOES], id="in use outside"),
        pytest.param([SCHEMA_GOES, step_of("replace", TOPIC, "words", SHAPED)], id="topic anew"),
        pytest.param(
            [SCHEMA_GOES, step_of("delete", TOPIC, "words", SHAPED, retainOnDelete=True)], id="topic stays"
        ),
        pytest.param(
            [SCHEMA_GOES, RELEASED, step_of("update", TOPIC, "second", SHAPED)], id="one topic keeps it"
        ),
    ],
)
def test_what_stays_nowhere_is_refused(steps: list[Inputs]) -> None:
    """The same is refused where the data does not stay, or nothing in the plan shows that it does."""
    assert steps[0]["urn"].rpartition("::")[2] in _refused(*steps)
    assert not judge(plan_of(*steps)).spared


@pytest.mark.parametrize(
    ("topics", "words"),
    [
        ([step_of("delete", TOPIC, "words", SHAPED)], "the same update deletes its topic, too"),
        ([step_of("replace", TOPIC, "words", SHAPED, {"name": "words"})], "takes it off its topic"),
        ([step_of("delete", TOPIC, "words", SHAPED), RELEASED], "takes it off its topic"),
    ],
)
def test_a_schema_goes_along_with_its_topic(topics: list[Inputs], words: str) -> None:
    """Its topic asks for an acknowledgement, and the schema for none beside it."""
    plan = plan_of(SCHEMA_GOES, *topics)
    verdict = judge(plan)

    assert {each.step.name for each in verdict.refused} == {"words"}
    assert [step.name for step, _ in verdict.spared] == ["shape"]
    assert words in render("prod", plan, verdict)


def test_a_protected_one_says_what_frees_it() -> None:
    """What needs no acknowledgement may still be protected: the summary says what frees it."""
    protected = step_of("delete", INSTANCE, "replica", FOLLOWS, protect=True)
    plan = plan_of(protected)

    assert f"pulumi state unprotect '{protected['urn']}'" in render("prod", plan, judge(plan))
