"""A stack reaches its database by an endpoint of its own as well as by peering."""

import pytest

from local_gcp.postgres import sql_rules as sql
from local_gcp.recorded import network
from tests.system.environments.environment import DeployedEnvironment


@pytest.mark.parametrize("environment", ["prod"], indirect=True)
async def test_an_endpoint_leads_to_the_database(environment: DeployedEnvironment) -> None:
    """Events flow through it, no network is peered, nothing drifts, and nothing is left in the end."""
    environment.change({"event-store:database": {"private_service_connect": True}})
    await environment.must_up()
    await environment.must_carry_events()
    await environment.must_stay("preview")
    await environment.must_stay("refresh")
    records = environment.cloud.records
    (rule,) = records.of_type(network.FORWARDING_RULE.type)
    (address,) = records.of_type(network.ADDRESS.type)
    (instance,) = records.of_type(sql.INSTANCE.type)

    assert rule.inputs["target"] == instance.outputs["pscServiceAttachmentLink"]
    assert rule.inputs["ipAddress"] == address.outputs["address"]
    assert instance.outputs["privateIpAddress"] == ""
    assert instance.inputs["settings"]["ipConfiguration"]["ipv4Enabled"] is False
    assert not [*records.of_type(network.CONNECTION.type), *records.of_type(network.GLOBAL_ADDRESS.type)]
    await environment.must_leave_nothing()
