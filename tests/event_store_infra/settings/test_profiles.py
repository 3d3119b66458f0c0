"""A stack names its kind of environment, and its file says only what differs from that."""

import pytest
import yaml

from event_store.errors import ConfigurationError
from event_store_infra.settings import Settings
from event_store_infra.settings.profile import PROFILES
from event_store_infra.settings.reference import page
from tools import ROOT

GOOGLE = {"gcp:project": "event-store-dev", "gcp:region": "europe-west1"}


def parse(**texts: str) -> Settings:
    """Parse a configuration that holds these keys of ours."""
    return Settings.parse({**GOOGLE, **{f"event-store:{key}": text for key, text in texts.items()}})


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_fits_together(profile: str) -> None:
    """A profile alone is a whole configuration that no limit refuses."""
    assert parse(profile=profile).profile == profile


def test_production_survives_a_zone_and_a_mistake() -> None:
    """The profile `prod` has a standby, a second instance, backups of a month, and protection."""
    prod = parse(profile="prod")

    assert prod.protected
    assert prod.database.availability == "REGIONAL"
    assert prod.database.point_in_time_recovery
    assert prod.database.retained_backups >= 30
    assert prod.service.min_instances >= 2


def test_what_a_stack_says_goes_before_its_profile() -> None:
    """A key of the stack replaces that key of the profile, and no other."""
    settings = parse(profile="prod", database='{"retained_backups": 60}', protected="false")

    assert settings.database.retained_backups == 60
    assert settings.database.tier == parse(profile="prod").database.tier
    assert settings.protected is False


def test_an_unknown_profile_is_refused_with_those_that_there_are() -> None:
    """The message names the key and the profiles."""
    with pytest.raises(ConfigurationError, match=r"event-store:profile is 'pord' \(did you mean prod\?\)"):
        parse(profile="pord")


def test_a_key_that_only_a_profile_could_mistake_is_refused_too() -> None:
    """Values of a profile pass the same checks as those of a stack: a stack cannot break them apart."""
    with pytest.raises(ConfigurationError, match="REGIONAL needs backups"):
        parse(profile="prod", database='{"point_in_time_recovery": false}')


def test_the_reference_page_has_every_key() -> None:
    """docs/reference/settings.md is what `make reference` makes."""
    assert (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8") == page(), (
        "run: make reference"
    )


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_has_its_stack(profile: str) -> None:
    """`Pulumi.<profile>.yaml` is the stack of that profile, and says little more."""
    config = yaml.safe_load((ROOT / f"Pulumi.{profile}.yaml").read_text(encoding="utf-8"))["config"]

    assert config["event-store:profile"] == profile
    assert set(config) <= {"gcp:project", "gcp:region", "event-store:profile", "event-store:labels"}
