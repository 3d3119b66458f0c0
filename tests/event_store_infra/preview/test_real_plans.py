"""The guard understands what the real engine plans, and refuses exactly what would lose data."""

import asyncio
import os
import re
import sys
from pathlib import Path

import yaml
from google.pubsub_v1.types import PubsubMessage

from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.report.summary import render
from local_gcp.pubsub_api.pubsub_rules import SUBSCRIPTION, TOPIC
from tests.event_store_infra.preview.conftest import Small
from tests.event_store_infra.preview.report.monitoring import monitoring_server
from tests.local_gcp.conftest import LocalCloud
from tools import ROOT

PULL = SUBSCRIPTION.type
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d"
SUBSCRIPTION_KEY = "pubsub.Subscription bus-projection-subscription"
FILTERED: dict[str, object] = {
    "name": "projection",
    "topic": "words",
    "filter": 'attributes.event_type = "Added"',
}


async def _command(*arguments: str, text: str = "", **variables: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=ROOT,
        env=os.environ | variables,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(120):
        output, _ = await process.communicate(text.encode())
    return process.returncode or 0, output.decode()


async def test_an_immutable_field_of_a_subscription_is_refused_with_the_way_out(small: Small) -> None:
    """The summary names field, backlog and generation; acknowledged by name, the change passes."""
    small.write(subscriptions=[FILTERED])
    plan = await small.plan()
    verdict = judge(plan)
    summary = render("prod", plan, verdict)

    assert [(each.step.name, each.deed) for each in verdict.refused] == [
        ("bus-projection-subscription", "replace")
    ]
    assert "refused, 1 change would lose data" in summary
    assert 'it cannot change in place: `filter` unset → `"attributes.event_type' in summary
    assert "its backlog" in summary
    assert "another `generation` in topology.yaml" in summary
    assert (
        "  event-store:acknowledged:\n    pubsub.Subscription bus-projection-subscription: replace\n"
        in summary
    )

    small.acknowledge({SUBSCRIPTION_KEY: "replace", "pubsub.Topic bus-words": "delete"})
    plan = await small.plan()
    verdict = judge(plan)
    summary = render("prod", plan, verdict)

    assert verdict.passes
    assert [line for line, _ in verdict.stale] == ["pubsub.Topic bus-words: delete"]
    assert "### Acknowledged\n" in summary
    assert "`pubsub.Topic bus-words: delete` matches nothing" in summary


async def test_a_new_generation_passes_and_keeps_the_backlog(small: Small, local_cloud: LocalCloud) -> None:
    """What cannot change is changed beside the old one, which goes only when that is acknowledged."""
    bus = local_cloud.assembly.bus
    path = "projects/p-1/subscriptions/projection"
    await bus.publisher.publish(topic="projects/p-1/topics/words", messages=[PubsubMessage(data=b"old")])
    small.write(subscriptions=[FILTERED | {"generation": 2, "keptGenerations": [1]}])
    kept = judge(await small.plan())
    await small.stack.must_up()
    pulled = await bus.subscriber.pull(subscription=path, max_messages=10, timeout=5)
    stands = {each.id.rpartition("/")[2]: each.inputs for each in small.stack.cloud.records.of_type(PULL)}
    small.write(subscriptions=[FILTERED | {"generation": 2}])
    removed = judge(await small.plan())

    assert kept.passes
    assert [each.message.data for each in pulled.received_messages] == [b"old"]
    assert "filter" not in stands["projection"]
    assert stands["projection-g2"]["filter"] == FILTERED["filter"]
    assert [(each.step.name, each.deed) for each in removed.refused] == [
        ("bus-projection-subscription", "delete")
    ]


async def test_an_acknowledgement_is_of_one_deed_only(small: Small) -> None:
    """Whoever has agreed to a replacement has not agreed to a deletion."""
    small.write(subscriptions=[])
    small.acknowledge({SUBSCRIPTION_KEY: "replace"})
    verdict = judge(await small.plan())

    assert {each.step.name for each in verdict.refused} == {
        "bus-projection-subscription",
        "bus-projection-dead-letter-subscription",
        "bus-projection-dead-letter",
    }
    assert {each.deed for each in verdict.refused} == {"delete"}
    assert verdict.stale == ((f"{SUBSCRIPTION_KEY}: replace", "says `replace`, but the plan would `delete`"),)


async def test_a_renamed_instance_takes_its_database_with_it(small: Small) -> None:
    """Both are refused, the second for it refers to the first."""
    small.write(instance="store-2")
    plan = await small.plan()
    summary = render("prod", plan, judge(plan))

    assert [each.step.name for each in judge(plan).refused] == ["database-instance", "database-database"]
    assert '`name` `"store-1"` → `"store-2"`' in summary
    assert "the log: every event and snapshot" in summary
    assert "would keep it (deletionPolicy ABANDON), but `database-instance` takes it along" in summary


async def test_the_engine_s_own_refusal_is_told(small: Small) -> None:
    """What Pulumi protects is refused by the engine, too: the preview fails, and the summary says of both."""
    small.write(protected=True)
    await small.stack.must_up()
    small.write(protected=True, instance="store-2")
    small.acknowledge(
        {"sql.DatabaseInstance database-instance": "replace", "sql.Database database-database": "replace"}
    )
    plan = await small.plan()
    verdict = judge(plan)
    summary = render("prod", plan, verdict)

    assert not verdict.refused
    assert not verdict.passes
    assert "marked for protection" in summary
    assert "the engine refuses it even when it is acknowledged" in summary


async def test_an_update_that_loses_data_is_refused_until_its_property_is_acknowledged(small: Small) -> None:
    """A shorter retention is acknowledged by the property; no change is no change."""
    unchanged = await small.plan()
    small.write(topics=[{"name": "words", "messageRetentionDuration": "1d"}])
    plan = await small.plan()
    summary = render("prod", plan, judge(plan))
    small.acknowledge({"pubsub.Topic bus-words": "update"})
    vague = judge(await small.plan())
    small.acknowledge({"pubsub.Topic bus-words": "update messageRetentionDuration"})
    acknowledged = await small.plan()

    assert "no change" in render("prod", unchanged, judge(unchanged))
    assert [(each.step.name, each.deed) for each in judge(plan).refused] == [
        ("bus-words", "update messageRetentionDuration")
    ]
    assert (
        '`messageRetentionDuration` `"604800s"` (7 days) → `"86400s"` (1 day) loses the retained messages'
        in summary
    )
    assert "    pubsub.Topic bus-words: update messageRetentionDuration\n" in summary
    assert [fault for _, fault in vague.stale] == [
        "says `update`, but the plan would `update messageRetentionDuration`"
    ]
    assert judge(acknowledged).passes
    assert "loses data, as acknowledged" in render("prod", acknowledged, judge(acknowledged))


async def test_any_other_ci_pipes_its_plan_through_the_guard(small: Small, tmp_path: Path) -> None:
    """The command prints and keeps the summary, and its exit code tells whether the plan passes."""
    small.write(subscriptions=[FILTERED])
    refused = await small.text()
    code, output = await _command(
        *("event_store_infra.preview", "judge", "prod", "--summary", str(tmp_path / "summary.md")),
        text=refused,
    )
    no_plan, said = await _command(
        "event_store_infra.preview", "judge", "prod", text="error: no stack selected"
    )
    part, why = await _command(
        "event_store_infra.preview", "judge", "prod", text=refused, PULUMI_OPTION_EXCLUDE="**x*"
    )

    assert code == 1
    assert (
        "error: the preview guard refuses prod: data would be lost with bus-projection-subscription" in output
    )
    assert (tmp_path / "summary.md").read_text() in output
    assert "compared with a state, in part only if the plan was made with `--target`" in output
    assert no_plan == 1
    assert "this is no plan of `pulumi preview --json`" in said
    assert part == 1
    assert "error: PULUMI_OPTION_EXCLUDE is set, so this may be no plan of the whole stack: unset it" in why


def _logged_in(small: Small, backend: Path) -> dict[str, str]:
    """Return the environment of whoever is logged in to a backend, which knows no stack yet."""
    config = {"config": {"gcp:project": "p-1", "gcp:region": "europe-west1"}}
    (small.stack.directory / "Pulumi.prod.yaml").write_text(yaml.safe_dump(config))
    backend.mkdir()
    return {**small.stack._pulumi._environment, "PULUMI_BACKEND_URL": f"file://{backend}"}


async def test_a_laptop_previews_against_the_real_state(small: Small, tmp_path: Path) -> None:
    """Logged in to a backend that knows the stack, `preview` compares with what stands there."""
    directory, environment = small.stack.directory, _logged_in(small, tmp_path / "backend")

    async def pulumi(*arguments: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *("pulumi", *arguments, "--non-interactive"), cwd=directory, env=environment
        )
        async with asyncio.timeout(120):
            assert await process.wait() == 0

    async def preview(*flags: str, **variables: str) -> tuple[int, str]:
        project = ("--state-directory", str(tmp_path / "none"), "--project", str(directory))
        with monitoring_server() as monitoring:
            monitoring.measure("subscription", "projection", [5], [60])
            asks = monitoring.variables(tmp_path)
            given = {**environment, **asks, **variables}
            return await _command("tools.local_stack", *project, "preview", "prod", *flags, **given)

    nowhere = await preview("--real")
    await small.stack.must_destroy()
    await pulumi("stack", "init", "prod")
    empty = await preview("--real")
    await pulumi("up", "--yes", "--skip-preview", "--stack", "prod")
    drift = await preview("--real", "--drift")
    (topic,) = (each for each in small.stack.cloud.records.of_type(TOPIC.type) if each.id.endswith("/words"))
    await small.stack.cloud.update(topic, {**topic.inputs, "messageRetentionDuration": "600s"})
    drifted = await preview("--real", "--drift")
    small.write(subscriptions=[FILTERED])
    real, local = await preview(PULUMI_OPTION_EXCLUDE="**projection*"), await preview("--local")
    check = ("event_store_infra.preview", "check", "prod", "--project", str(directory))
    checked = await _command(*check, **environment, PULUMI_OPTION_EXCLUDE="**projection*")
    unknown = await _command(*check[:2], "test", *check[3:], **environment)
    await pulumi("destroy", "--yes", "--skip-preview", "--stack", "prod")

    assert nowhere[0] == 1
    assert "has no stack prod" in nowhere[1]
    assert drift[0] == 0, drift[1]
    assert drifted[0] == 1
    assert '`messageRetentionDuration` `"600s"` → `"604800s"`' in drifted[1]
    assert "prod has drifted from what the program declares" in drifted[1]
    assert real[0] == 1
    state = rf"compared with the real state of {TIME} UTC in `file://{tmp_path}/backend`"
    assert re.match(rf"`prod`, {state}:\n", real[1]), real[1]
    assert re.search(rf"^## `prod`: refused, 1 change would lose data \({state}\)$", real[1], re.MULTILINE)
    assert re.search(rf"^## `prod`: .* \({state}, read again from Google just now\)$", drift[1], re.MULTILINE)
    assert "refuses prod: data would be lost with bus-projection-subscription" in real[1]
    assert re.search(
        r"it is in the stack since \d{4}-\d\d-\d\d\n  - it holds 5 messages that nobody", real[1]
    )
    assert checked[0] == 1
    assert re.search(rf"^## `prod`: refused, 1 change would lose data \({state}\)$", checked[1], re.MULTILINE)
    assert "/backend has no stack test: log in to another one" in unknown[1]
    assert local[0] == 0, local[1]
    assert "to create, 0 unchanged" in local[1]
    assert "## `prod`: compared with nothing, so this says nothing of a loss: `--local` never" in local[1]
    assert "loses no data" not in local[1]
    assert empty[0] == 0, empty[1]
    assert "## `prod`: compared with nothing" in empty[1]
    assert "the real state in `file://" in empty[1]
