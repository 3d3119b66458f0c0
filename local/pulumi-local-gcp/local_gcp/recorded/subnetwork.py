"""Subnetworks, in which Google keeps the addresses of Cloud Run's instances for a while."""

from local_gcp.cloudrun.supervisor import Runner
from local_gcp.recorded import network
from local_gcp.recorded.recorded import COMPUTE, TIME, Recorded
from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import digits
from local_gcp.resource.records import Record


class SubnetworkKind(Recorded):
    """A subnetwork.

    Google keeps the addresses of Cloud Run's instances for one to two hours after the last instance has
    ended. It does not delete a subnetwork with such addresses.
    https://docs.cloud.google.com/run/docs/configuring/vpc-direct-vpc#delete-subnet

    Args:
        runner: Knows the subnetworks in which containers were given addresses.

    Attributes:
        holds_addresses: Whether the first attempt to delete such a subnetwork is rejected, and the next
            succeeds as if it came hours later. Off by default: on a laptop there are no addresses.
    """

    def __init__(self, runner: Runner) -> None:
        super().__init__(
            network.SUBNETWORK,
            "projects/{project}/regions/{region}/subnetworks/{name}",
            selfLink=COMPUTE + "/regions/{region}/subnetworks/{name}",
            subnetworkId="{unique}",
            creationTimestamp=TIME,
        )
        self.holds_addresses = False
        self._runner = runner

    async def delete(self, record: Record) -> None:
        """Delete the subnetwork.

        Raises:
            CloudError: Google still keeps addresses in the subnetwork.
        """
        was_used = record.id in self._runner.subnetworks
        self._runner.subnetworks.discard(record.id)
        if was_used and self.holds_addresses:
            region = record.id.rpartition("/subnetworks/")[0]
            raise CloudError(
                "Error when reading or editing Subnetwork: googleapi: Error 400: The subnetwork resource "
                f"'{record.id}' is already being used by '{region}/addresses/serverless-ipv4-"
                f"{digits(record.id, 19)}', resourceInUseByAnotherResource"
            )
