"""A new environment is one command, which the real Pulumi CLI takes, and a mistake in it makes nothing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from event_store.errors import ConfigurationError
from event_store_infra.new_stack import make
from tools import ROOT

CONFIG = {
    "gcp:project": "event-store-prod",
    "gcp:region": "europe-west1",
    "event-store:profile": "prod",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project, whose Pulumi keeps everything in a folder of the test's own."""
    for name in ("home", "backend", "project"):
        (tmp_path / name).mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path / "project")
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "of the test")
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "1")
    return tmp_path / "project"


def test_a_new_stack_has_its_file_and_its_place_in_the_backend(project: Path) -> None:
    """The file holds what was said; Pulumi adds how its secrets are kept. Doing it again changes nothing."""
    backend = f"file://{project.parent / 'backend'}"

    make("prod-eu", CONFIG, backend, "", project)
    written = yaml.safe_load((project / "Pulumi.prod-eu.yaml").read_text())
    more = {**written, "config": {**written["config"], "event-store:labels": {"team": "words"}}}
    (project / "Pulumi.prod-eu.yaml").write_text(yaml.safe_dump(more))
    make("prod-eu", CONFIG, backend, "", project)

    assert written["config"] == CONFIG
    assert "encryptionsalt" in written
    assert yaml.safe_load((project / "Pulumi.prod-eu.yaml").read_text()) == more
    stacks = list((project.parent / "backend").rglob("stacks/event-store/prod-eu.json"))
    assert len(stacks) == 1


@pytest.mark.parametrize(
    ("name", "backend", "secrets", "config", "message"),
    [
        ("Prod", "cloud", "", {}, "--name is 'Prod', but must be 2 to 32 small letters"),
        (
            "prod",
            "s3://state",
            "",
            {},
            "--backend is 's3://state', but must be file://DIR, gs://BUCKET or cloud",
        ),
        ("prod", "gs://state", "", {}, "--secrets is '', but with this backend must be gcpkms://projects/P"),
        ("prod", "gs://state", "passphrase", {}, "who reads the bucket reads no secret"),
        ("prod", "file:///state", "default", {}, "but with this backend must be passphrase"),
        ("prod", "cloud", "", {"gcp:region": "Europe"}, "gcp:region is 'Europe'"),
        ("prod", "cloud", "", {"event-store:profile": "pord"}, "did you mean prod?"),
    ],
)
def test_a_mistake_makes_nothing(
    project: Path, name: str, backend: str, secrets: str, config: dict[str, str], message: str
) -> None:
    """Every message names what was given and what is allowed, and no file is written."""
    with pytest.raises(ConfigurationError) as refused:
        make(name, CONFIG | config, backend, secrets, project)

    assert message in str(refused.value)
    assert [path.name for path in project.iterdir()] == ["Pulumi.yaml"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [("gcp:project", "team-prod"), ("gcp:region", "europe-west3"), ("event-store:profile", "staging")],
)
def test_a_file_of_another_project_is_not_taken_for_the_new_one(project: Path, name: str, asked: str) -> None:
    """The stack of a file that was there would be deployed where nobody asked for it; nothing is made."""
    shutil.copy(ROOT / "Pulumi.prod.yaml", project)

    with pytest.raises(ConfigurationError, match=f"exists with {name}: {CONFIG[name]}, not {asked}"):
        make("prod", CONFIG | {name: asked}, f"file://{project.parent / 'backend'}", "", project)

    assert (project / "Pulumi.prod.yaml").read_text() == (ROOT / "Pulumi.prod.yaml").read_text()
    assert not list((project.parent / "backend").iterdir())


def test_a_passphrase_is_never_invented(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the command says which variable to set, rather than keep secrets under none."""
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")

    with pytest.raises(ConfigurationError, match="set PULUMI_CONFIG_PASSPHRASE"):
        make("prod", CONFIG, f"file://{project.parent / 'backend'}", "", project)


def test_the_command_tells_what_is_missing() -> None:
    """`make stack` alone is answered with the options that it needs, not with a traceback."""
    answer = subprocess.run(
        [sys.executable, "-m", "event_store_infra.new_stack"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 2
    assert "--name, --profile, --project, --region, --backend" in answer.stderr
