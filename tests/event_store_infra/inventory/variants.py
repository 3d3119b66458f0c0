"""Stacks that ask for what none of ours does, for the page of the pictures and for tests of whole plans."""

from typing import Any, Final

import yaml

from tests.event_store_infra.engine import Engine, Preview
from tests.event_store_infra.inventory import render, render_difference
from tools import ROOT
from tools.pictures import BOOTSTRAP_FOLDER

DEPLOYER: Final = "event-store-deployer@event-store-prod.iam.gserviceaccount.com"
INVOKER: Final = "group:developers@example.com"
KEY: Final = "projects/keys/locations/europe-west1/keyRings/store/cryptoKeys/log"
_IMAGE: Final = f"europe-west1-docker.pkg.dev/event-store-dev/event-store/event-store@sha256:{'a' * 64}"

WHOLE: Final[dict[str, Any]] = {
    "event-store:image": _IMAGE,
    "event-store:topology": "examples/topologies/everything.yaml",
    "event-store:service": {"invokers": [INVOKER], "relay": "worker-pool"},
    "event-store:database": {"kms_key": KEY},
    "event-store:monitoring": {"enabled": True, "emails": ["oncall@example.com"]},
}
DELIVERED: Final[dict[str, Any]] = {"event-store:deployer": DEPLOYER}
JOINED: Final[dict[str, Any]] = {
    "event-store:network": {
        "vpc": "projects/host-project/global/networks/shared",
        "subnetwork": "projects/host-project/regions/europe-west1/subnetworks/run",
    },
    "event-store:repository": "europe-west1-docker.pkg.dev/host-project/images",
}
ON_ALLOYDB: Final[dict[str, Any]] = {
    "event-store:database": {
        "kms_key": KEY,
        "engine": "alloydb",
        "replica_flags": {"max_connections": "2000"},
    },
    "event-store:alloydb": {
        "server_ca": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "read_nodes": 2,
    },
}
BY_ENDPOINT: Final[dict[str, Any]] = {
    "event-store:database": {
        "private_service_connect": True,
        "read_replica": True,
        "replica_tier": "db-custom-8-30720",
        "replica_flags": {"max_connections": "700"},
    }
}
RESTORED: Final[dict[str, Any]] = {
    "event-store:database": {
        "generation": 3,
        "kept_generations": [1, 2],
        "restore_from": {"instance": "event-store-2", "time": "2026-01-31T08:00:00Z"},
    }
}
# By the name of its file: what it asks for, and which one its inventory is the difference to.
VARIANTS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "prod": ({}, "prod"),
    "whole": (WHOLE, "prod"),
    "delivered": (WHOLE | DELIVERED, "whole"),
    "joined": (JOINED, "prod"),
    "by-endpoint": (BY_ENDPOINT, "prod"),
    "restored": (RESTORED, "prod"),
    "on-alloydb": (WHOLE | ON_ALLOYDB, "whole"),
}
BOOTSTRAP: Final = {
    "gcp:project": "event-store-prod",
    "gcp:region": "europe-west1",
    "event-store-bootstrap:repository_id": "456789",
    "event-store-bootstrap:repository_owner_id": "123456",
    "event-store-bootstrap:environment": "prod",
    "event-store-bootstrap:state_bucket": "team-state",
    "event-store-bootstrap:secrets_key": "projects/p/locations/l/keyRings/r/cryptoKeys/k",
}


def file_of_prod(changes: dict[str, Any]) -> str:
    """Return the text of the stack's file of `prod` with some keys in place of its own."""
    text = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text(encoding="utf-8"))
    return yaml.safe_dump({"config": text["config"] | changes})


async def render_variants(engine: Engine) -> dict[str, str]:
    """Return the inventory of each variant, by the name of its file."""
    states = {}
    for name, (changes, _) in VARIANTS.items():
        made = await engine.preview("prod", config=file_of_prod(changes))
        assert made.code == 0, made.text
        states[name] = made.states
    differences = {
        name: render_difference(states[name], states[base])
        for name, (_, base) in VARIANTS.items()
        if name != base
    }
    return differences | {"bootstrap": render((await preview_bootstrap(engine)).states)}


async def preview_bootstrap(engine: Engine) -> Preview:
    """Preview what makes the identities of CI."""
    config = yaml.safe_dump({"config": BOOTSTRAP})
    made = await engine.preview("prod", project=ROOT / BOOTSTRAP_FOLDER, config=config)
    assert made.code == 0, made.text
    return made
