"""What a run of the workflow Deploy deploys, by its conditions, for each way in which it may go."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pytest
import yaml

from tests.event_store_infra.workflows.expressions import evaluate, is_true
from tools import ROOT

FOLDER: Final = ROOT / ".github" / "workflows"
BUILT: Final = "europe-west1-docker.pkg.dev/team-dev/event-store/event-store@sha256:built"
EARLIER: Final = "europe-west1-docker.pkg.dev/team-dev/event-store/event-store@sha256:earlier"
STACKS: Final = ("dev", "staging", "prod")
MAIN: Final = "refs/heads/main"


def _workflow(name: str) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    return content


def _told(
    present: tuple[str, ...],
    *,
    image: str = "",
    ref: str = MAIN,
    outcomes: Mapping[str, str] | None = None,
    environments: str | None = None,
) -> dict[str, str]:
    """Return the image that each job of a run is told (empty: to build one), in their order.

    Args:
        present: The stacks of the variable ENVIRONMENTS.
        image: The input of a run by hand.
        ref: What the run is of.
        outcomes: The results of jobs that do not succeed.
        environments: The variable itself, in place of one with the stacks.
    """
    variable = json.dumps({stack: {} for stack in present}) if environments is None else environments
    results: dict[str, dict[str, Any]] = {}
    told = {}
    for name, job in _workflow("deploy")["jobs"].items():
        needs = [job.get("needs", [])] if isinstance(job.get("needs"), str) else job.get("needs", [])
        contexts = {
            "github": {"ref": ref},
            "inputs": {"image": image},
            "vars": {"ENVIRONMENTS": variable},
            "needs": {need: results[need] for need in needs},
        }
        functions: dict[str, Callable[[], bool]] = {"cancelled": lambda: False}
        # A condition without a function of this kind is one on the success of all that it needs.
        succeeded = "cancelled()" in job["if"] or all(results[need]["result"] == "success" for need in needs)
        if not (succeeded and is_true(evaluate(job["if"], contexts, functions))):
            results[name] = {"result": "skipped", "outputs": {}}
            continue
        # A job of its own tags the image, the others hand it to what deploys it.
        given = job["with"]["image"] if "with" in job else job["env"]["IMAGE"]
        told[name] = str(evaluate(given, contexts, functions)) if "${{" in given else given
        result = (outcomes or {}).get(name, "success")
        outputs = {"image": told[name] or BUILT} if result == "success" and "with" in job else {}
        results[name] = {"result": result, "outputs": outputs}
    return told


def _deployed(present: tuple[str, ...], **run: Any) -> dict[str, str]:
    """Return the image that each stack is told to run; the arguments are those of `_told`."""
    return {name: image for name, image in _told(present, **run).items() if name in STACKS}


def _expected(present: tuple[str, ...], image: str, outcomes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what should be deployed: each stack that is there, after the success of the one before it."""
    if not image and "dev" not in present:
        return
    for stack in STACKS:
        if stack not in present or (stack == "dev" and image):
            continue
        yield stack, "" if stack == "dev" else image or BUILT
        if outcomes.get(stack, "success") != "success":
            return


@pytest.mark.parametrize("image", ["", EARLIER], ids=["merge", "rollback"])
@pytest.mark.parametrize(
    "present", [each for number in range(4) for each in itertools.combinations(STACKS, number)], ids="-".join
)
def test_each_stack_that_is_there_runs_the_image_that_the_one_before_it_ran(
    present: tuple[str, ...], image: str
) -> None:
    """A stack that is not there is gone past; one that failed or was cancelled ends the run."""
    for results in itertools.product(("success", "failure", "cancelled"), repeat=len(present)):
        outcomes = dict(zip(present, results, strict=True))

        assert _deployed(present, image=image, outcomes=outcomes) == dict(_expected(present, image, outcomes))


def test_dev_and_prod_without_staging_deploy_prod() -> None:
    """An installation without staging needs none."""
    assert _deployed(("dev", "prod")) == {"dev": "", "prod": BUILT}
    assert _deployed(("dev", "prod"), outcomes={"dev": "failure"}) == {"dev": ""}


def test_nothing_is_deployed_of_a_branch_or_before_the_first_bootstrap() -> None:
    """A run by hand of another branch does nothing, and so does one without the variable."""
    assert _deployed(STACKS, ref="refs/heads/topic") == {}
    assert _deployed(STACKS, ref="refs/heads/topic", image=EARLIER) == {}
    assert _deployed((), environments="") == {}


def test_a_run_that_waits_for_prod_holds_no_other_stack_back() -> None:
    """Each stack has a queue of its own, and no run as a whole is in one."""
    deploy, up = _workflow("deploy"), _workflow("deploy-stack")["jobs"]["up"]
    queues = {
        stack: up["concurrency"]["group"].replace(
            "${{ inputs.stack }}", deploy["jobs"][stack]["with"]["stack"]
        )
        for stack in STACKS
    }

    assert "concurrency" not in deploy
    assert not [stack for stack, job in deploy["jobs"].items() if "concurrency" in job]
    assert "concurrency" not in _workflow("deploy-stack")
    assert queues == {stack: f"deploy-{stack}" for stack in STACKS}
    assert up["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("image", ["", EARLIER], ids=["merge", "rollback"])
@pytest.mark.parametrize("present", [("dev", "staging", "prod"), ("dev", "prod"), ("dev", "staging")])
def test_what_another_environment_is_about_to_run_is_tagged_before(
    present: tuple[str, ...], image: str
) -> None:
    """Nothing is deployed elsewhere whose tag could not be set, and the tag is on that very image."""
    told = list(_told(present, image=image).items())
    kept = told.index(("keep", image or BUILT))

    assert {name for name, _ in told[kept + 1 :]} == {*present} - {"dev"}
    for outcome in ("failure", "cancelled"):
        assert {*_deployed(present, image=image, outcomes={"keep": outcome})} <= {"dev"}
    assert "keep" not in _told(("dev",))
    assert "keep" not in _told(present, image=image, outcomes={"dev": "failure"}) or image
