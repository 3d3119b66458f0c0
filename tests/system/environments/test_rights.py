"""What runs in an environment needs the rights that its stack grants, and misses each by name."""

import asyncio
from typing import Final

import pytest

from local_gcp.pubsub_api import pubsub_rules as pubsub
from local_gcp.recorded import iam
from local_gcp.resource.records import Record
from tests.system.environments.environment import PATIENCE_SECONDS, DeployedEnvironment

RUNTIME: Final = "serviceAccount:event-store-runtime@event-store-dev.iam.gserviceaccount.com"


def _grant(environment: DeployedEnvironment, kind: str, role: str) -> Record:
    (found,) = (
        record
        for record in environment.cloud.records.of_type(kind)
        if (record.inputs["role"], record.inputs["member"]) == (role, RUNTIME)
        and "vocabulary" in record.inputs.get("topic", "vocabulary")
    )
    return found


async def _until_logged(environment: DeployedEnvironment, text: str) -> None:
    """Wait until a container has logged a text."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(text in log.read_text() for log in environment.logs.glob("*.log")):  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # another process cannot set an event


@pytest.mark.parametrize("environment", ["dev"], indirect=True)
async def test_each_right_that_is_taken_away_is_missed_by_name(environment: DeployedEnvironment) -> None:
    """With all of them events flow; without one the relay cannot publish, or no revision starts."""
    records = environment.cloud.records
    await environment.must_up()
    await environment.must_carry_events()

    publishes = _grant(environment, pubsub.TOPIC_IAM_MEMBER.type, "roles/pubsub.publisher")
    records.remove(publishes)
    carrying = asyncio.create_task(environment.must_carry_events())
    await _until_logged(environment, "Permission 'pubsub.topics.publish' denied")
    records.put(publishes)
    await carrying

    records.remove(_grant(environment, iam.PROJECT_IAM_MEMBER.type, "roles/cloudsql.instanceUser"))
    environment.change({"event-store:service": {"log_level": "WARNING"}})  # another revision
    refused = await environment.up()

    assert refused.code != 0
    assert "Permission 'cloudsql.instances.login' denied" in refused.output
    assert RUNTIME in refused.output
