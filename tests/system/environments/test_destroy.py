"""The way out of an environment, while Google still keeps addresses in its subnetwork."""

import pytest

from local_gcp.recorded import iam, network
from local_gcp.recorded.subnetwork import SubnetworkKind
from tests.system.environments.environment import DeployedEnvironment


@pytest.mark.parametrize("environment", ["dev"], indirect=True)
async def test_a_destroy_that_google_holds_up_leaves_nothing_that_runs_and_is_run_again(
    environment: DeployedEnvironment,
) -> None:
    """The first one fails at the subnetwork and takes all else away; the second one takes the rest."""
    subnetworks = environment.cloud.kind(network.SUBNETWORK.type)
    assert isinstance(subnetworks, SubnetworkKind)
    subnetworks.holds_addresses = True
    await environment.must_up()

    first = await environment.run("destroy", "--yes", "--skip-preview", "--continue-on-error")
    left = {record.type for record in environment.cloud.records}
    await environment.must_destroy()

    assert first.code != 0
    assert "/subnetworks/event-store' is already being used by 'projects/event-store-dev" in first.output
    assert left - {iam.SERVICE.type} == {network.NETWORK.type, network.SUBNETWORK.type}
    assert list(environment.cloud.records) == []
