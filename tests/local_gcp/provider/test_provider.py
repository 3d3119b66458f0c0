"""The local Google Cloud replaces and fills in what the real provider does, property by property."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from local_gcp.postgres import sql_rules as sql
from local_gcp.recorded import network
from local_gcp.resource import Limits
from local_gcp.resource.properties import UNKNOWN
from tests.local_gcp.resource.limits import all_limits

PROVIDER: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("provider.yaml").read_text("utf-8")
)
ALL = {limits.type: limits for limits in all_limits() if limits.type.startswith("gcp:")}


def test_every_type_is_compared() -> None:
    """No type of Google's stands in the local Google Cloud without what the provider does with it."""
    assert sorted(ALL) == list(PROVIDER)


@pytest.mark.parametrize("limits", ALL.values(), ids=ALL)
def test_a_change_replaces_where_the_provider_replaces(limits: Limits) -> None:
    """A changed property makes a new resource if its schema says so, and is an update in place otherwise."""
    replaced = set(PROVIDER[limits.type]["replaced"])

    assert {path for path in {*limits.fields, *replaced} if _replaces(limits, path)} == replaced
    assert all(limits.replaces(f"{path}.inside", "a", "b") for path in replaced)


@pytest.mark.parametrize("limits", ALL.values(), ids=ALL)
def test_a_default_is_the_providers(limits: Limits) -> None:
    """What the program leaves out is filled in as the provider does it, and nothing else is."""
    defaults = {path: each.default for path, each in limits.fields.items() if each.default is not None}

    assert defaults == PROVIDER[limits.type].get("filled_in", {})


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ("10.8.0.0/24", "10.8.0.0/23", False),
        ("10.8.1.0/24", "10.8.0.0/23", False),
        ("10.8.0.0/24", "10.8.0.0/25", True),
        ("10.8.0.0/24", "10.9.0.0/23", True),
        ("10.8.0.0/24", UNKNOWN, False),
    ],
)
def test_a_subnetwork_grows_in_place_and_moves_by_a_new_one(old: str, new: str, *, replaces: bool) -> None:
    """Only a range that holds the one before is an update; any other is another subnetwork."""
    assert network.SUBNETWORK.replaces("ipCidrRange", old, new) is replaces


def test_an_instance_without_its_network_is_another_instance() -> None:
    """Private access is never taken from an instance in place."""
    path = "settings.ipConfiguration.privateNetwork"

    assert sql.INSTANCE.replaces(path, "projects/p/global/networks/a", None)
    assert not sql.INSTANCE.replaces(path, None, "projects/p/global/networks/a")
    assert not sql.INSTANCE.replaces(path, "projects/p/global/networks/a", "projects/p/global/networks/b")


def _replaces(limits: Limits, path: str) -> bool:
    # A range grows here, since that is the case that its schema leaves in place.
    old, new = ("10.8.0.0/24", "10.8.0.0/23") if path == "ipCidrRange" else ("a", "b")
    return limits.replaces(path, old, new)
