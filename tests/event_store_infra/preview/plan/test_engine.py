"""A preview compares with what Pulumi itself would take, and never with nothing by mistake."""

import json
from pathlib import Path

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.command import ask_pulumi
from event_store_infra.preview.plan import engine


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project of somebody who has never logged in to a backend."""
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: store\nruntime: python\n")
    return tmp_path


def test_a_backend_is_found_in_pulumi_s_own_order(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable goes before the project's file, and that before who logged in last; else there is none."""
    found = [engine.backend(project)]
    (project / "home" / "credentials.json").write_text(json.dumps({"current": "gs://logged-in"}))
    found.append(engine.backend(project))
    (project / "Pulumi.yaml").write_text("name: store\nruntime: python\nbackend: {url: gs://of-the-file}\n")
    found.append(engine.backend(project))
    monkeypatch.setenv("PULUMI_BACKEND_URL", "gs://of-the-variable")
    found.append(engine.backend(project))

    assert found == ["", "gs://logged-in", "gs://of-the-file", "gs://of-the-variable"]


def test_a_stack_is_known_by_its_whole_name(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that has `prod` has neither `prod-2` nor `pro`; one that is away is an error, not "no"."""
    (project / "backend").mkdir()
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{project / 'backend'}")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "x")
    ask_pulumi(project, 60, "stack", "init", "prod")

    known = {
        name: engine.find_stack(project, name) is not None
        for name in ("prod", "organization/store/prod", "prod-2", "pro")
    }
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///nowhere/at/all")

    assert known == {"prod": True, "organization/store/prod": True, "prod-2": False, "pro": False}
    with pytest.raises(ConfigurationError, match="`pulumi stack ls` failed"):
        engine.find_stack(project, "prod")
