"""`docker-compose.yml`, read without Docker: its facts, its order of start and its environment."""

import argparse
from pathlib import Path
from typing import Any

import pytest
import yaml

from event_store.cli.options import UsageError
from event_store.cli.routed import add_routing_arguments, environment_and_routing
from event_store.environment import Environment
from event_store.topology import Ordering, Topology

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return services


def mounted(service: dict[str, Any], word: str) -> str:
    """Return a word of a command with the file here instead of the one in the container."""
    files = {each.split(":")[1]: str(ROOT / each.split(":")[0]) for each in service["volumes"]}
    return files.get(word, word)


def test_the_database_is_the_one_of_the_decision_record(services: dict[str, Any]) -> None:
    """PostgreSQL 16 holds the database event_store, owned by the user effect."""
    postgres = services["postgres"]
    assert postgres["image"] == "postgres:16"
    assert postgres["environment"] == {
        "POSTGRES_DB": "event_store",
        "POSTGRES_USER": "effect",
        "POSTGRES_PASSWORD": "effect_password",
    }


@pytest.mark.parametrize("name", ["migrate", "event-store"])
def test_clients_log_in_to_the_database_that_is_made(services: dict[str, Any], name: str) -> None:
    """Migrations and service use the very login that the PostgreSQL of the file creates."""
    made, used = services["postgres"]["environment"], services[name]["environment"]
    assert used["PGHOST"] == "postgres"
    assert (used["PGDATABASE"], used["PGUSER"], used["PGPASSWORD"]) == tuple(made.values())


def test_the_emulator_listens_where_the_decision_record_says(services: dict[str, Any]) -> None:
    """The emulator is reached on port 8085, from the host and by every client in the file."""
    assert "--host-port=0.0.0.0:8085" in services["pubsub"]["command"]
    assert services["pubsub"]["ports"] == ["127.0.0.1:8085:8085"]
    clients = [services[name]["environment"]["PUBSUB_EMULATOR_HOST"] for name in ("bus", "event-store")]
    assert clients == ["pubsub:8085", "pubsub:8085"]


def test_the_service_starts_after_its_schema_and_its_topics(services: dict[str, Any]) -> None:
    """The service waits for the one-shot services, and those wait for healthy servers."""
    conditions = {
        name: {other: each["condition"] for other, each in service.get("depends_on", {}).items()}
        for name, service in services.items()
    }
    assert conditions == {
        "postgres": {},
        "pubsub": {},
        "bus": {"pubsub": "service_healthy"},
        "migrate": {"postgres": "service_healthy"},
        "event-store": {
            "migrate": "service_completed_successfully",
            "bus": "service_completed_successfully",
        },
    }
    assert all("healthcheck" in services[name] for name in ("postgres", "pubsub", "event-store"))


def test_the_service_understands_its_environment(services: dict[str, Any]) -> None:
    """The variables are those of the environment contract, and the port is the published one."""
    environment = Environment.parse(services["event-store"]["environment"])
    assert services["event-store"]["ports"] == [f"127.0.0.1:{environment.port}:8080"]


def test_the_routing_is_that_of_the_topology(services: dict[str, Any]) -> None:
    """Bus and service read the same topology.yaml, and the emulator gets few ordering keys."""
    bus, service = services["bus"], services["event-store"]
    words = [mounted(service, word) for word in service["command"]]
    parser = argparse.ArgumentParser()
    add_routing_arguments(parser)

    _, routing = environment_and_routing(parser.parse_args(words[1:]))

    project = service["command"][service["command"].index("--project") + 1]
    assert words[0] == "serve"
    assert routing == Topology.load(ROOT / "topology.yaml").routing(project, Ordering("partitions", 64))
    assert bus["command"] == ["topology", "create", *service["command"][1:5]]
    assert bus["volumes"] == service["volumes"]


def test_partitions_are_those_of_a_topology() -> None:
    """Without a file there is nothing that they could stand in place of."""
    parser = argparse.ArgumentParser()
    add_routing_arguments(parser)

    with pytest.raises(UsageError, match="--partitions requires --topology"):
        environment_and_routing(parser.parse_args(["--partitions", "64"]))


def test_nothing_is_published_beyond_loopback(services: dict[str, Any]) -> None:
    """A development login is no secret only while nobody else reaches the servers."""
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_every_file_that_is_mounted_or_copied_exists(services: dict[str, Any]) -> None:
    """A mount of a missing file would become an empty folder; a missing build file would stop the build."""
    mounts = [each.split(":")[0] for name in ("bus", "event-store") for each in services[name]["volumes"]]
    build = services["event-store"]["build"]
    for name in [*mounts, build["dockerfile"], "service/requirements.lock", "service/build.lock"]:
        assert (ROOT / name).is_file(), name
