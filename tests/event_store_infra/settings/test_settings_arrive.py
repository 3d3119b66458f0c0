"""What a stack's file says arrives with its type, and what it does not say has a default."""

import json

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.settings import Settings
from tests.event_store_infra.settings.test_settings_are_refused_by_name import CERTIFICATE, GOOGLE, parse


def test_a_stack_needs_no_key_but_project_and_region() -> None:
    """Every key of ours has a default, and the defaults fit together."""
    settings = parse()

    assert settings.project == "event-store-dev"
    assert settings.region == "europe-west1"
    assert settings.prefix == "event-store"
    assert settings.ordering is None


def test_every_value_arrives_with_its_type() -> None:
    """Texts, numbers, switches, lists and mappings come out as what they are."""
    settings = parse(
        prefix="orders",
        topology="bus/topology.yaml",
        ordering='{"partitions": 64}',
        labels='{"environment": "dev"}',
        network='{"cidr": "10.1.0.0/16"}',
        database='{"tier": "db-custom-2-7680", "backups": false, "point_in_time_recovery": false}',
        service='{"max_instances": 5, "invokers": ["group:developers@example.com"]}',
        migration_attempt="3",
    )

    assert settings.prefix == "orders"
    assert settings.topology == "bus/topology.yaml"
    assert settings.ordering is not None
    assert settings.ordering.partitions == 64
    assert settings.labels == {"environment": "dev"}
    assert settings.network.cidr == "10.1.0.0/16"
    assert settings.database.tier == "db-custom-2-7680"
    assert settings.database.backups is False
    assert settings.service.max_instances == 5
    assert settings.service.invokers == ("group:developers@example.com",)
    assert settings.migration_attempt == 3


def test_two_authorities_are_trusted_while_one_follows_the_other() -> None:
    """Both engines take the certificates of a rotation, one after the other."""
    both = CERTIFICATE * 2

    assert parse(database=json.dumps({"trusted_ca": both})).database.trusted_ca == both
    assert parse(alloydb=json.dumps({"server_ca": both})).alloydb.server_ca == both


def test_keys_of_other_namespaces_are_left_alone() -> None:
    """Other programs and providers keep their own keys in the same file."""
    assert Settings.parse({**GOOGLE, "gcp:skipRegionValidation": "true", "other:key": "x"}) == parse()


def test_database_users_fit_into_postgresql_s_names() -> None:
    """PostgreSQL cuts names of more than 63 bytes, so a prefix that would lead to one is refused."""
    with pytest.raises(ConfigurationError, match="shorten the prefix by 2"):
        Settings.parse(
            {"gcp:project": "p" * 30, "gcp:region": "europe-west1", "event-store:prefix": "e" * 21}
        )


def test_a_flag_raises_the_connections_that_instances_share() -> None:
    """What the database takes is what it is told to take: more instances fit then."""
    settings = parse(service='{"max_instances": 11}', database='{"flags": {"max_connections": "200"}}')

    assert settings.database.most_connections == 200
