"""A canary is a split of the traffic that one command begins, and one ends."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from event_store.errors import ConfigurationError
from event_store_infra.rollout import KEY, begin, promote, roll_back
from event_store_infra.settings import RolloutSettings, ServiceSettings, Settings
from tests.event_store_infra.engine import Engine
from tools import ROOT
from tools.pulumi_cli import BIN

STABLE = "event-store-00003"
CONFIG = {"gcp:project": "event-store-prod", "gcp:region": "europe-west1", "event-store:profile": "prod"}
LATEST, REVISION = (f"TRAFFIC_TARGET_ALLOCATION_TYPE_{each}" for each in ("LATEST", "REVISION"))


def _in(percent: int, stable: str = STABLE) -> dict[str, str]:
    return CONFIG | {KEY: json.dumps({"stable": stable, "percent": percent})}


@pytest.mark.parametrize(
    ("percent", "traffics"),
    [
        (
            10,
            [
                {"type": LATEST, "percent": 10, "tag": "canary"},
                {"type": REVISION, "percent": 90, "revision": STABLE},
            ],
        ),
        (0, [{"type": REVISION, "percent": 100, "revision": STABLE}]),
    ],
)
async def test_the_traffic_is_split_as_the_stack_says(
    engine: Engine, percent: int, traffics: list[dict[str, Any]]
) -> None:
    """The canary has its part and an address of its own; after a rollback the stable revision has all."""
    text = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())
    text["config"][KEY] = {"stable": STABLE, "percent": percent}
    preview = await engine.preview("prod", config=yaml.safe_dump(text))

    assert preview.code == 0, preview.text
    assert preview.states["event-store-service"]["inputs"]["traffics"] == traffics


def test_a_canary_begins_beside_what_serves_and_goes_on_beside_it() -> None:
    """Its stable revision is the one that served first, however often the part is changed or rolled back."""
    assert begin(CONFIG, {"revision": STABLE}, 10) == RolloutSettings(stable=STABLE, percent=10)
    assert begin(_in(10), {"revision": "event-store-00004"}, 50).stable == STABLE
    assert roll_back(_in(50)) == RolloutSettings(stable=STABLE, percent=0)
    assert begin(_in(0), {"revision": "event-store-00005"}, 5).stable == STABLE
    promote(_in(50))


def test_what_makes_no_sense_is_refused() -> None:
    """Every message says what to do."""
    for ask, message in (
        (lambda: begin(CONFIG, {}, 10), "run `pulumi up` first"),
        (lambda: begin(CONFIG, {"revision": STABLE}, 100), "must be 1 to 99: use `promote`"),
        (lambda: promote(CONFIG), "there is no canary to promote: begin one"),
        (lambda: promote(_in(0)), "deploy a better revision"),
        (lambda: roll_back(CONFIG), "there is no canary to roll back"),
        (lambda: Settings.parse(_in(10, "other-00003")), "must be a revision of the service event-store"),
        (lambda: Settings.parse(_in(100)), "0 to 99"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            ask()


def test_both_revisions_have_their_connections_counted() -> None:
    """While a canary serves there may be twice as many instances, and a small database has no room."""
    service = ServiceSettings(max_instances=3, database_connections=6, relay="worker-pool", relay_instances=2)
    dev = CONFIG | {
        "event-store:profile": "dev",
        "event-store:database": json.dumps({"flags": {"max_connections": "40"}}),
    }
    Settings.parse(dev)

    assert (service.most_instances(1), service.most_connections(1)) == (5, 3 * 11 + 2 * 3)
    assert (service.most_instances(2), service.most_connections(2)) == (8, 6 * 11 + 2 * 3)
    with pytest.raises(
        ConfigurationError, match="and a canary with as many instances may open 56 connections"
    ):
        begin(dev, {"revision": STABLE}, 10)


def test_make_brings_pulumi_along(tmp_path: Path) -> None:
    """The package looks on PATH alone, and this repository's own Pulumi is not there."""
    path = [each for each in os.environ["PATH"].split(os.pathsep) if Path(each) != BIN]
    own = {"PULUMI_BACKEND_URL": f"file://{tmp_path}", "PULUMI_HOME": str(tmp_path / "home")}

    answer = subprocess.run(
        ["make", "rollback", "STACK=nowhere", "PYTHON=true"],  # so that `make environment` has nothing to do
        cwd=ROOT,
        env={**os.environ, **own, "PATH": os.pathsep.join(path), "PULUMI_SKIP_UPDATE_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert answer.returncode != 0
    assert "no stack named 'nowhere' found" in answer.stderr
