"""The guard overlooks nothing of what it promises: each loss, each safeguard, each sign of a failure."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pulumi_gcp
import pytest

from event_store.errors import ConfigurationError
from event_store_infra.preview.effects.told import UNKNOWN_TYPE
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import Plan
from event_store_infra.preview.report.summary import render
from event_store_infra.preview.review import review
from event_store_infra.protection import HOLDS_DATA
from tests.event_store_infra.preview.steps import step_of

INSTANCE = "gcp:sql/databaseInstance:DatabaseInstance"
TOPIC = "gcp:pubsub/topic:Topic"
# Written down here a second time, so that none is taken out of the guard's own tables by mistake.
HOLDING = {
    "gcp:alloydb/backup:Backup",
    "gcp:alloydb/cluster:Cluster",
    "gcp:alloydb/instance:Instance",
    "gcp:artifactregistry/repository:Repository",
    "gcp:bigquery/dataset:Dataset",
    "gcp:bigquery/table:Table",
    "gcp:compute/globalAddress:GlobalAddress",
    "gcp:compute/network:Network",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:kms/cryptoKeyVersion:CryptoKeyVersion",
    "gcp:kms/keyRing:KeyRing",
    "gcp:pubsub/schema:Schema",
    "gcp:pubsub/subscription:Subscription",
    TOPIC,
    "gcp:secretmanager/secret:Secret",
    "gcp:secretmanager/secretVersion:SecretVersion",
    "gcp:servicenetworking/connection:Connection",
    "gcp:sql/database:Database",
    INSTANCE,
    "gcp:storage/bucket:Bucket",
    "gcp:storage/bucketObject:BucketObject",
}
PROTECTED = {
    "gcp:alloydb/cluster:Cluster",
    "gcp:alloydb/instance:Instance",
    "gcp:pubsub/schema:Schema",
    "gcp:pubsub/subscription:Subscription",
    TOPIC,
    INSTANCE,
}
# A word in a type's name that says that it keeps something.
KEEPS = re.compile(
    "Bucket|Database|Dataset|Table|Disk|Snapshot|Backup|Secret|Key|Topic|Subscription|Schema|Cluster|Volume"
    "|Share|Archive|Repository|Queue|Index|Export|Sink|Zone$"
)
# Named so, and made again from the program without a loss.
KEEPS_NONE = {"ManagedZone"}
GRANTS = ("IAMMember", "IamMember")


def _part(op: str, kind: str = TOPIC) -> dict[str, Any]:
    """Return a step on a part of a component."""
    urn = f"urn:pulumi:prod::event-store::event-store:infra:Part${kind}::words"
    return {**step_of(op, kind, "words", {}), "urn": urn}


def _plan(*steps: dict[str, Any], **more: object) -> str:
    counts = {"same": 1, **Counter(each["op"] for each in steps)}
    return json.dumps({"config": {}, "steps": list(steps), "changeSummary": counts, **more})


def _types() -> set[str]:
    """Return every type of resource that the SDK has."""
    found: set[str] = set()
    for init in Path(*pulumi_gcp.__path__).glob("*/__init__.py"):
        for module in re.findall(r"^from \.(?!get_)([a-z]\w+) import", init.read_text("utf-8"), re.MULTILINE):
            name = "".join(f"{each[:1].upper()}{each[1:]}" for each in module.split("_"))
            found.add(f"gcp:{init.parent.name}/{name[:1].lower()}{name[1:]}:{name}")
    return found


@pytest.mark.parametrize("kind", sorted(HOLDING))
@pytest.mark.parametrize("op", ["delete", "replace", "create-replacement", "delete-replaced"])
def test_the_loss_of_what_holds_data_is_refused(kind: str, op: str) -> None:
    """Whichever of them a plan deletes or replaces, by whichever of the engine's steps, it does not pass."""
    verdict = judge(Plan.parse(_plan(_part(op, kind))))

    assert not verdict.passes
    assert [each.effect for each in verdict.refused] != [UNKNOWN_TYPE]
    # Whoever means it can say so, in one word for all halves of a replacement.
    assert [each.deed for each in verdict.refused] == ["delete" if op == "delete" else "replace"]


def test_what_keeps_something_is_never_taken_for_harmless() -> None:
    """No deletion passes of a type whose name says that it keeps something, unless it is a grant on that."""
    kinds = _types()
    passing = {each for each in kinds if judge(Plan.parse(_plan(_part("delete", each)))).passes}
    names = {each.rpartition(":")[2] for each in passing}

    assert len(kinds) > 1_000
    assert {each for each in names if KEEPS.search(each) and not each.endswith(GRANTS)} == KEEPS_NONE


def test_pulumi_protects_what_holds_data() -> None:
    """The first of the three layers covers each type that holds data, not only those that a stack has now."""
    assert HOLDS_DATA == PROTECTED


@pytest.mark.parametrize(
    ("counts", "ops"),
    [
        ({"replace": 1}, ["update"]),
        ({"delete": 1}, ["update"]),
        ({"delete": 1, "replace": 1}, ["replace"]),
        ({"replace": 1}, ["create-replacement", "delete-replaced"]),
    ],
)
def test_a_hidden_replacement_or_deletion_is_refused(counts: dict[str, int], ops: list[str]) -> None:
    """A plan that counts more of them than it lists cannot be judged, whatever else it lists."""
    with pytest.raises(ConfigurationError, match=r"it counts \d steps of `\w+`, but lists"):
        Plan.parse(_plan(*map(_part, ops), changeSummary=counts))


@pytest.mark.parametrize("message", ["error: preview failed", "error: resource words cannot be deleted"])
def test_a_preview_that_failed_never_passes(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Any error of the engine is a failure, with the engine's words, even if its last word is all it says."""
    text = _plan(diagnostics=[{"severity": "error", "message": message}])

    assert not judge(Plan.parse(text)).passes
    with pytest.raises(ConfigurationError, match="the preview of prod failed"):
        review("prod", text)
    assert message.removeprefix("error: ") in capsys.readouterr().out
    assert judge(Plan.parse(text.replace('"error"', '"warning"'))).passes


def test_a_refusal_says_what_protects_and_what_stays() -> None:
    """Protected, kept and forced: each is read from the state that stands, and told."""
    step = _part("delete", INSTANCE)
    step["oldState"] = {**step["oldState"], "protect": True, "retainOnDelete": True, "id": "store-1"}
    step["newState"] = {**step["oldState"], "protect": False}
    plan = Plan.parse(_plan(step))
    summary = render("prod", plan, judge(plan))

    assert "*protected*: the engine refuses it even when it is acknowledged" in summary
    assert f"pulumi state unprotect '{step['urn']}'" in summary
    assert "stays in Google Cloud (retainOnDelete)" in summary
    assert "(sql.DatabaseInstance, `store-1`)" in summary
    assert "refused, 1 change would lose data" in summary


def test_a_component_is_no_loss() -> None:
    """A component that goes is a name; what it consisted of is judged by itself."""
    step = _part("delete", "event-store:infra:Database")
    step["oldState"]["custom"] = False

    assert judge(Plan.parse(_plan(step))).passes


def test_drift_is_any_change() -> None:
    """Where none is expected, a change that loses nothing fails, and no change passes."""
    with pytest.raises(ConfigurationError, match="prod has drifted"):
        review("prod", _plan(_part("create", "gcp:serviceaccount/account:Account")), expects_no_change=True)
    review("prod", _plan(_part("same")), expects_no_change=True)
