"""What a finding advises fits the rest of its plan: what goes with it, what would keep it, what caused it."""

import json
from typing import Any

import pytest

from event_store_infra.preview.effects.bus.pubsub import SUBSCRIPTION, TOPIC
from event_store_infra.preview.effects.database.sql import INSTANCE
from event_store_infra.preview.effects.effect import Effect
from event_store_infra.preview.effects.project.operations import ACCOUNT
from event_store_infra.preview.effects.storage.registry import REPOSITORY
from event_store_infra.preview.judging.guard import judge
from tests.event_store_infra.preview.steps import plan_of, step_of

PRIMARY = step_of("delete", INSTANCE, "primary", {"name": "store-1"})
FOLLOWS = {"name": "store-1-replica", "masterInstanceName": "store-1"}
BACK = "set `event-store:prefix` back to `event-store`."


def _effect(name: str, *steps: dict[str, Any], **config: object) -> Effect:
    plan = plan_of(*steps, config={f"event-store:{key}": value for key, value in config.items()})
    (effect,) = {each.effect for each in judge(plan).refused if each.step.name == name}
    return effect


def _made(kind: str, name: str, called: str) -> dict[str, Any]:
    return step_of("create", kind, name, new={"name": called})


def _anew(kind: str, name: str, **values: tuple[str, str]) -> dict[str, Any]:
    """Return a step that makes a resource anew for each of its values, old and new."""
    old, new = ({key: value[side] for key, value in values.items()} for side in (0, 1))
    return {**step_of("replace", kind, name, old, new), "replaceReasons": list(values)}


@pytest.mark.parametrize(
    ("replica", "is_told"),
    [
        pytest.param(step_of("delete", INSTANCE, "replica", FOLLOWS), True, id="it follows"),
        pytest.param(
            step_of("delete", INSTANCE, "replica", FOLLOWS, outputs={"name": "store-1-replica"}),
            False,
            id="promoted outside of Pulumi",
        ),
    ],
)
def test_a_replica_goes_with_its_primary(replica: dict[str, Any], *, is_told: bool) -> None:
    """It has no log of its own; one that was promoted has."""
    effect = _effect("replica", PRIMARY, replica)

    assert (effect.what == "the last copy of the log, since its primary goes, too") == is_told
    assert (effect.instead == "keep its primary, `primary`.") == is_told


def test_a_primary_that_stays_in_google_cloud_does_not_go() -> None:
    """The plan only takes it out of the stack, so a replica of it is no last copy."""
    replica = step_of("delete", INSTANCE, "replica", FOLLOWS)

    assert "primary" not in _effect("replica", {**PRIMARY, **_retained(PRIMARY)}, replica).what


def _retained(step: dict[str, Any]) -> dict[str, Any]:
    return {"oldState": {**step["oldState"], "retainOnDelete": True}}


@pytest.mark.parametrize(
    ("goes", "made", "kept", "wanted"),
    [
        ("store-1", "store-2", [], "`kept_generations: [1]`"),
        ("store-2", "store-3", [1], "`kept_generations: [1, 2]`"),
        ("store-3", "store-2", [1], ""),
        ("store-1", "store-1", [], ""),
        ("store", "store-2", [], ""),
    ],
)
def test_an_instance_is_kept_beside_a_later_one(goes: str, made: str, kept: list[int], wanted: str) -> None:
    """What keeps it is the line of the stack's file, with those that it has already."""
    step = step_of("delete", INSTANCE, "goes", {"name": goes})
    database = json.dumps({"generation": 2, "kept_generations": kept})
    effect = _effect("goes", step, _made(INSTANCE, "made", made), database=database)

    assert wanted in effect.instead
    assert bool(effect.before) == (not wanted)


@pytest.mark.parametrize(
    ("goes", "made", "wanted"),
    [
        ("words", ["words-g2"], "add 1 to its `keptGenerations`"),
        ("words-g2", ["words-g3"], "add 2 to its `keptGenerations`"),
        ("words-g2", ["words"], ""),
        ("words", ["words", "words-g2"], ""),
        ("words", ["others-g2"], ""),
    ],
)
def test_a_subscription_is_kept_beside_a_later_one(goes: str, made: list[str], wanted: str) -> None:
    """What keeps it is a line of topology.yaml; without a later one it has to be drained."""
    step = step_of("delete", SUBSCRIPTION, "goes", {"name": goes})
    effect = _effect("goes", step, *(_made(SUBSCRIPTION, f"made-{each}", each) for each in made))

    assert wanted in effect.instead
    assert bool(effect.before) == (not wanted)


def test_another_prefix_is_set_back() -> None:
    """One line takes all of it back, also what is named by the prefix alone."""
    steps = [
        _anew(ACCOUNT, "account", accountId=("event-store-runtime", "words-runtime")),
        _anew(REPOSITORY, "images", repositoryId=("event-store", "words")),
    ]

    assert {_effect(each, *steps, prefix="words").instead for each in ("account", "images")} == {BACK}


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            _anew(ACCOUNT, "account", accountId=("event-store-runtime", "words-run")), id="another name, too"
        ),
        pytest.param(
            _anew(
                ACCOUNT,
                "account",
                accountId=("event-store-runtime", "words-runtime"),
                project=("one", "another"),
            ),
            id="another project, too",
        ),
        pytest.param(
            _anew(ACCOUNT, "account", accountId=("other-runtime", "words-runtime")), id="of another prefix"
        ),
    ],
)
def test_what_more_than_the_prefix_makes_anew_has_its_own_advice(step: dict[str, Any]) -> None:
    """To set the prefix back would not keep it."""
    other = _anew(ACCOUNT, "push", accountId=("event-store-push", "words-push"))

    assert "event-store:prefix" not in _effect("account", other, step, prefix="words").instead


@pytest.mark.parametrize(
    ("given", "taken"), [("other", "other"), ("words", ""), ("projects/p/topics/words", ""), (None, "")]
)
def test_only_another_resource_s_import_takes_a_place(given: str | None, taken: str) -> None:
    """One that was imported by its id, or by a longer one, and is replaced for another reason, does not."""
    step = step_of("replace", TOPIC, "words", {"name": "words"}, importID="projects/p/topics/words")
    step["newState"] |= {"importID": given}

    assert [each.gives_way_to for each in plan_of(step).steps] == [taken]
