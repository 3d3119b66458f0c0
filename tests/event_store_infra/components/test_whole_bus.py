"""All that a topology can say becomes what Pub/Sub has, with each right on the one thing that needs it."""

from pathlib import Path
from typing import Any

import pytest

from tests.event_store_infra.engine import Engine
from tools import ROOT

TOPOLOGY = Path("examples/topologies/everything.yaml")


@pytest.fixture(scope="session")
async def bus(engine: Engine) -> dict[str, dict[str, Any]]:
    """Return the plan of a stack with the topology that says everything, by name in the program."""
    text = f"""
config:
  gcp:project: words-project
  gcp:region: europe-west1
  event-store:topology: {TOPOLOGY}
"""
    made = await engine.preview("everything", config=text)
    assert made.code == 0, made.text
    assert (ROOT / TOPOLOGY).exists()
    return {name.removeprefix("bus-"): dict(state) for name, state in made.states.items() if "bus-" in name}


def _waits_for(state: dict[str, Any]) -> set[str]:
    return {urn.split("::")[-1].removeprefix("bus-") for urn in state["dependencies"]}


def test_a_topic_is_encrypted_kept_in_its_regions_and_held_to_its_schema(
    bus: dict[str, dict[str, Any]],
) -> None:
    """A topic waits for the right to use its keys: Google refuses it, or cannot read it, without."""
    words, metrics = bus["vocabulary-events"], bus["metrics-events"]
    grants = [each["inputs"] for each in bus.values() if each["type"].endswith(":CryptoKeyIAMMember")]
    names = {f"key-security.europe-west1.events.{key}" for key in ("topics", "before")}

    assert {each["cryptoKeyId"].rpartition("/")[2] for each in grants} == {"topics", "before"}
    assert words["inputs"]["kmsKeyName"] in {each["cryptoKeyId"] for each in grants}
    assert {each["role"] for each in grants} == {"roles/cloudkms.cryptoKeyEncrypterDecrypter"}
    assert names <= _waits_for(words)
    assert words["inputs"]["messageStoragePolicy"] == {
        "allowedPersistenceRegions": ["europe-west1", "europe-west4"],
        "enforceInTransit": True,
    }
    assert words["inputs"]["labels"] == {"team": "words"}
    assert metrics["inputs"]["schemaSettings"]["encoding"] == "JSON"
    assert bus["measured-schema"]["inputs"]["type"] == "AVRO"


def test_dead_letters_are_kept_as_the_topic_that_they_come_from(bus: dict[str, dict[str, Any]]) -> None:
    """They are the same messages: no other key may read them, and they leave no region that they must not."""
    words, letters = bus["vocabulary-events"], bus["vocabulary-projection-dead-letter"]
    others = bus["archive-dead-letter"]["inputs"]

    assert letters["inputs"]["kmsKeyName"] == words["inputs"]["kmsKeyName"]
    assert letters["inputs"]["messageStoragePolicy"] == words["inputs"]["messageStoragePolicy"]
    assert letters["inputs"]["labels"] == {"team": "words"}
    assert "key-security.europe-west1.events.topics" in _waits_for(letters)
    assert not {"kmsKeyName", "messageStoragePolicy", "schemaSettings"} & others.keys()


def test_a_new_generation_stands_beside_the_one_that_drains(bus: dict[str, dict[str, Any]]) -> None:
    """The old one keeps what cannot be changed, whatever the topology says now: its backlog is not lost."""
    new, old = bus["vocabulary-projection-g2-subscription"], bus["vocabulary-projection-subscription"]

    assert new["inputs"]["name"] == "vocabulary-projection-g2"
    assert old["inputs"]["name"] == "vocabulary-projection"
    assert sorted(old["ignoreChanges"]) == ["enableMessageOrdering", "filter", "topic"]
    assert "ignoreChanges" not in new
    assert new["inputs"]["filter"] == (
        'attributes.event_type = "WordAdded" OR attributes.event_type = "WordRemoved" '
        'OR hasPrefix(attributes.event_type, "Lesson")'
    )


def test_a_pulled_subscription_has_what_its_consumers_need(bus: dict[str, dict[str, Any]]) -> None:
    """Exactly once, a seekable past, and the consumer's right on this subscription alone."""
    pulled = bus["vocabulary-projection-g2-subscription"]["inputs"]
    consumer = "serviceAccount:projection@words.iam.gserviceaccount.com"
    grant = bus[f"vocabulary-projection-g2-consumer-{consumer}"]["inputs"]

    assert pulled["enableExactlyOnceDelivery"] is True
    assert pulled["retainAckedMessages"] is True
    assert pulled["messageRetentionDuration"] == "2678400s"
    assert (grant["role"], grant["member"]) == ("roles/pubsub.subscriber", consumer)
    assert grant["subscription"] == "vocabulary-projection-g2"


def test_a_push_carries_a_token_of_an_identity_of_its_own(bus: dict[str, dict[str, Any]]) -> None:
    """Pub/Sub may make tokens of that one account, and the account may call the service that is named."""
    push = bus["mailer-subscription"]
    invoker, tokens = bus["push-mailer"]["inputs"], bus["push-tokens"]["inputs"]

    assert push["inputs"]["pushConfig"]["pushEndpoint"] == "https://mailer-abc.a.run.app/events"
    assert push["inputs"]["pushConfig"]["oidcToken"]["audience"] == "https://mailer-abc.a.run.app"
    assert bus["push"]["inputs"]["accountId"] == "event-store-push"
    assert (invoker["name"], invoker["role"]) == ("mailer", "roles/run.invoker")
    assert tokens["role"] == "roles/iam.serviceAccountTokenCreator"
    assert {"push-mailer", "push-tokens"} <= _waits_for(push)


def test_an_export_waits_for_its_rights_on_that_table_or_bucket(bus: dict[str, dict[str, Any]]) -> None:
    """Google checks them when the subscription is made; neither is a right on a project."""
    rows, objects = bus["warehouse-subscription"], bus["archive-subscription"]
    on_table = [each["inputs"] for each in bus.values() if each["type"].startswith("gcp:bigquery/iamMember")]
    on_bucket = [
        each["inputs"] for each in bus.values() if each["type"].startswith("gcp:storage/bucketIAMMember")
    ]

    assert {(each["datasetId"], each["tableId"]) for each in on_table} == {("events", "metrics")}
    assert {each["role"] for each in on_table} == {
        "roles/bigquery.dataEditor",
        "roles/bigquery.metadataViewer",
    }
    assert {each["role"] for each in on_bucket} == {
        "roles/storage.objectCreator",
        "roles/storage.legacyBucketReader",
    }
    table, bucket = "table-words-warehouse.events.metrics", "bucket-words-archive"
    assert {f"{table}-dataEditor", f"{table}-metadataViewer"} <= _waits_for(rows)
    assert {f"{bucket}-objectCreator", f"{bucket}-legacyBucketReader"} <= _waits_for(objects)
    assert objects["inputs"]["ackDeadlineSeconds"] == 300
    assert objects["inputs"]["cloudStorageConfig"]["avroConfig"] == {"writeMetadata": True}


def test_every_one_of_them_has_dead_letters_and_never_expires(bus: dict[str, dict[str, Any]]) -> None:
    """Pushed and exported ones too; two generations share them."""
    made = [each["inputs"] for each in bus.values() if each["type"] == "gcp:pubsub/subscription:Subscription"]
    sources = [each for each in made if not each["name"].endswith("-dead-letter")]

    assert len(sources) == 5
    assert len(made) - len(sources) == 4
    assert all(each["expirationPolicy"] == {"ttl": ""} for each in made)
    assert all("deadLetterPolicy" in each for each in sources)
