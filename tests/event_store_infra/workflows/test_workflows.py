"""The workflows keep what they promise: no key, no right too many, and only commands that exist."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tools import ROOT, SOURCES

FOLDER: Final = ROOT / ".github" / "workflows"
FILES: Final = sorted(FOLDER.glob("*.yml"))
READ: Final = {"contents": "read"}
IDENTITY: Final = {"contents": "read", "id-token": "write"}
# Every right of every job.
PERMISSIONS: Final = {
    "ci": {"run": READ},
    "deploy": {"dev": IDENTITY, "keep": {"id-token": "write"}, "staging": IDENTITY, "prod": IDENTITY},
    "deploy-stack": {"up": IDENTITY},
    "drift": {
        "environments": {},
        "stack": IDENTITY,
        "issue": {"contents": "read", "issues": "write"},
    },
    "preview": {
        "without-credentials": READ,
        "environments": {},
        "stack": IDENTITY,
        "comment": {"contents": "read", "pull-requests": "write"},
    },
}


def _parsed(name: str) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    return content


def _jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in FILES:
        for name, job in _parsed(file.stem)["jobs"].items():
            yield f"{file.stem}.{name}", job


def _steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in _jobs():
        for number, step in enumerate(job.get("steps", [])):
            yield f"{name}[{number}]", step


JOBS: Final = dict(_jobs())
RUNS: Final = {name: step["run"] for name, step in _steps() if "run" in step}


def test_every_job_has_the_rights_of_the_table_and_no_other() -> None:
    """A workflow has no right by itself; each job names its own."""
    found = {
        file.stem: {name: job["permissions"] for name, job in _parsed(file.stem)["jobs"].items()}
        for file in FILES
    }

    assert found == PERMISSIONS
    assert [file.stem for file in FILES if _parsed(file.stem)["permissions"] != {}] == []


@pytest.mark.parametrize("job", [name for name, each in JOBS.items() if "steps" in each])
def test_a_job_that_may_become_an_identity_does_and_can_write_nothing_else(job: str) -> None:
    """Only a job that logs in to Google may ask for a token, and none of these may write to GitHub."""
    logs_in = any("google-github-actions/auth" in step.get("uses", "") for step in JOBS[job]["steps"])
    rights = JOBS[job]["permissions"]

    assert (rights.get("id-token") == "write") == logs_in
    assert not logs_in or rights.items() <= IDENTITY.items()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_there_is_no_key_and_no_secret(file: Path) -> None:
    """Nothing that could leak exists: identities are federated, and the token is the job's own."""
    text = file.read_text(encoding="utf-8")

    assert "secrets." not in text
    assert not re.search("credentials_json|service_account_key|passphrase|password", text, re.IGNORECASE)
    assert "pull_request_target" not in text
    assert "workflow_run" not in text


def test_no_shell_line_holds_what_a_stranger_wrote() -> None:
    """Values reach the shell through its environment, where they stay values."""
    assert [name for name, run in RUNS.items() if "${{" in run] == []


def test_no_checkout_leaves_a_token_behind() -> None:
    """The code of a pull request finds no token in the folder that it runs in."""
    checkouts = [step for _, step in _steps() if step.get("uses", "").startswith("actions/checkout@")]

    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_the_token_is_in_the_environment_of_the_step_that_writes_alone() -> None:
    """What is installed and run before it, a pull request's own code, does not see it."""
    given = {name: step["run"] for name, step in _steps() if "github.token" in str(step.get("env"))}

    assert not [file.stem for file in FILES if "github.token" in str(_parsed(file.stem).get("env"))]
    assert not [name for name, job in JOBS.items() if "github.token" in str(job.get("env"))]
    assert len(given) == 3
    assert all(re.search(r"event_store_infra\.preview (comment|issue) ", run) for run in given.values())


def test_every_action_is_pinned_to_a_commit_and_says_by_which_release() -> None:
    """A tag can be moved by whoever owns the action; a commit cannot, and one action has one commit."""
    used = [
        line.strip().removeprefix("- ")
        for file in FILES
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"\buses: (?!\./)", line)
    ]
    loose = [line for line in used if not re.fullmatch(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)]

    assert used
    assert loose == []
    assert len({*used}) == len({line.partition("@")[0] for line in used})


def test_every_base_image_is_pinned_to_a_digest() -> None:
    """The same sources make the same image, whatever is pushed under the tag later."""
    stages: set[str] = set()
    for line in (ROOT / "service" / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if match := re.fullmatch(r"FROM (\S+)(?: AS (\S+))?", line):
            assert match[1] in stages or re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", match[1]), line
            stages.add(match[2])
    assert stages


def test_a_bot_raises_whatever_is_pinned() -> None:
    """Dependabot looks at the actions, the image and the pins of each tool where they are."""
    file = ROOT / ".github" / "dependabot.yml"
    updates = yaml.safe_load(file.read_text(encoding="utf-8"))["updates"]
    watched = {
        (each["package-ecosystem"], folder)
        for each in updates
        for folder in each.get("directories", [each.get("directory")])
    }

    assert watched == {
        ("github-actions", "/"),
        ("docker", "/service"),
        ("gomod", "/tools/actionlint"),
        ("gomod", "/tools/buf"),
        ("pip", "/"),
        *(("pip", f"/{folder}") for folder in SOURCES),
        ("pip", "/tools"),
    }
    assert (ROOT / "service" / "Dockerfile").is_file()
    assert (ROOT / "tools" / "actionlint" / "go.mod").is_file()
    assert (ROOT / "tools" / "buf" / "go.mod").is_file()
    assert (ROOT / "tools" / "uv.txt").is_file()
    assert all((ROOT / folder / "pyproject.toml").is_file() for folder in ("", *SOURCES))


def test_every_job_ends_and_no_two_deploy_at_once() -> None:
    """Each job has a time limit, each workflow a queue, and a running update is never cancelled."""
    assert [name for name, job in JOBS.items() if "steps" in job and "timeout-minutes" not in job] == []
    queues = {
        file.stem: _parsed(file.stem).get("concurrency") or JOBS["deploy-stack.up"]["concurrency"]
        for file in FILES
    }
    assert queues["deploy"]["cancel-in-progress"] is False
    assert queues["deploy-stack"]["cancel-in-progress"] is False
    assert queues["drift"]["cancel-in-progress"] is False
    assert "deploy" not in queues["preview"]["group"]


@pytest.mark.parametrize("name", RUNS)
def test_every_command_exists(name: str) -> None:
    """What a step runs is a target of the Makefile, a command of the preview guard, or a tool; it parses."""
    run = RUNS[name]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(re.findall(r"\bmake ([a-z]+)", run)) <= targets
    for command in re.findall(r"python -m infra\.preview (\w+)", run):
        shown = subprocess.run(
            [ROOT / ".venv" / "bin" / "python", "-m", "event_store_infra.preview", command, "--help"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        for flag in re.findall(r" (--[a-z-]+)", run):
            assert flag in shown.stdout
    if match := re.search(r'make preview .*ARGS="([^"]*)"', run):
        shown = subprocess.run(
            [ROOT / ".venv" / "bin" / "python", "-m", "tools.local_stack", "preview", "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        for flag in re.findall(r"--[a-z-]+", match[1]):
            assert flag in shown.stdout
    subprocess.run(["bash", "-n"], input=run, text=True, timeout=10, check=True)


def test_a_stranger_s_pull_request_gets_no_identity() -> None:
    """What asks for a token on a pull request waits for a job that a fork's pull request skips."""
    jobs = _parsed("preview")["jobs"]
    same = "github.event.pull_request.head.repo.full_name == github.repository"

    assert same in jobs["environments"]["if"]
    assert jobs["stack"]["needs"] == "environments"
    assert same.replace("==", "!=") in jobs["without-credentials"]["if"]
    # Who opened it, which stays; `github.actor` is whoever acted last.
    assert not re.search(r"\bactor\b", str(jobs))
    assert "environment" not in jobs["stack"]  # would make it a subject that may deploy


def test_the_guard_goes_before_each_update() -> None:
    """What deploys is of the environment, whose approvals come first, and compares with the real state."""
    up = _parsed("deploy-stack")["jobs"]["up"]
    runs = [step.get("run", "") for step in up["steps"]]
    (guard,) = (number for number, run in enumerate(runs) if "make preview" in run)
    (deploys,) = (number for number, run in enumerate(runs) if "pulumi up" in run)

    assert up["environment"] == "${{ inputs.stack }}"
    assert guard < deploys
    assert "--real" in runs[guard]


def test_previews_and_drift_change_nothing() -> None:
    """Neither ever runs a command that could."""
    for name, run in RUNS.items():
        if name.startswith(("preview.", "drift.")):
            assert not re.search(r"pulumi (up|destroy|refresh|import|state|cancel)", run)


@pytest.mark.parametrize(("job", "command"), [("deploy-stack.up", "pulumi up"), ("drift.stack", "--drift")])
def test_docker_is_logged_in_before_the_image_is_pushed_or_read(job: str, command: str) -> None:
    """The package docker-build takes any error for an image that is gone: each night would find drift."""
    runs = [str(step.get("run", "")) for step in JOBS[job]["steps"]]
    (login,) = (index for index, run in enumerate(runs) if run.startswith("gcloud auth configure-docker"))
    (used,) = (index for index, run in enumerate(runs) if command in run)

    assert login < used
