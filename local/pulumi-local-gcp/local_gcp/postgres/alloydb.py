"""AlloyDB: clusters, instances and users, on the same real PostgreSQL as Cloud SQL's instances.

The primary is a PostgreSQL cluster of its own. A read pool is only recorded; nothing listens at its address.
"""

from typing import Final

from local_gcp.postgres import alloydb_rules as limits
from local_gcp.postgres.refusals import (
    refuse_another_network,
    refuse_earlier_version,
    refuse_smaller_replicas,
)
from local_gcp.postgres.server.instances import Instances
from local_gcp.postgres.server.roles import drop_user, make_group, make_user
from local_gcp.recorded.recorded import Recorded
from local_gcp.resource.errors import CloudError
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place, digits, private_address
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record

ADMINISTRATORS: Final = "alloydbsuperuser"
_GROUPS: Final = {ADMINISTRATORS: "CREATEROLE CREATEDB", "alloydbiamuser": ""}


class ClusterKind(Recorded):
    """A cluster, which is only a record here."""

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Change the cluster in place, as far as Google allows it.

        Raises:
            CloudError: Google rejects this change in place.
        """
        refuse_earlier_version(record.inputs, draft.inputs)
        refuse_another_network(record.inputs, draft.inputs)
        return await super().update(record, draft)


CLUSTER: Final = ClusterKind(
    limits.CLUSTER,
    "projects/{project}/locations/{location}/clusters/{clusterId}",
    name="{id}",
    state="READY",
    uid="{unique}",
)


class InstanceKind(Kind):
    """An instance of a cluster. Deleting the primary keeps its data for the next cluster of the same name."""

    limits = limits.INSTANCE

    def __init__(self, instances: Instances) -> None:
        self._instances = instances
        self._standing: dict[str, Properties] = {}

    def identify(self, inputs: Properties, _place: Place) -> str:
        """Return the instance's full name."""
        return f"{inputs['cluster']}/instances/{inputs['instanceId']}"

    async def create(self, draft: Draft) -> Properties:
        """Start a primary, with the groups of roles that AlloyDB has.

        Raises:
            CloudError: A flag of the primary would be higher than a read pool's.
        """
        others = [each for each in self._standing.values() if each["cluster"] == draft.inputs["cluster"]]
        if draft.inputs["instanceType"] == "PRIMARY":
            pools = [each for each in others if each["instanceType"] == "READ_POOL"]
            refuse_smaller_replicas(draft.inputs, pools)
        elif (primary := self.primary_of(draft.inputs["cluster"])) is not None:
            refuse_smaller_replicas(primary, [draft.inputs])
        await self._start(draft.inputs)
        self._standing[draft.id] = draft.inputs
        return {
            "name": draft.id,
            "ipAddress": private_address(draft.id),
            "state": "READY",
            "uid": digits(draft.id, 21),
            **draft.inputs,
        }

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Restart the instance if its flags have changed; size and availability have no effect here."""
        return await self.create(draft)

    async def delete(self, record: Record) -> None:
        """Stop the instance."""
        self._standing.pop(record.id, None)
        if record.inputs["instanceType"] == "PRIMARY":
            await self._instances.stop(server_of(record.inputs["cluster"]))

    async def restore(self, record: Record) -> None:
        """Restart the instance."""
        await self._start(record.inputs)
        self._standing[record.id] = record.inputs

    def primary_of(self, cluster: str) -> Properties | None:
        """Return the inputs of a cluster's primary, or None while the cluster has none."""
        of_cluster = [each for each in self._standing.values() if each["cluster"] == cluster]
        return next((each for each in of_cluster if each["instanceType"] == "PRIMARY"), None)

    async def _start(self, inputs: Properties) -> None:
        if inputs["instanceType"] != "PRIMARY":
            return
        server = server_of(inputs["cluster"])
        flags = inputs.get("databaseFlags", {})
        await self._instances.start(
            server, {name: value for name, value in flags.items() if not name.startswith("alloydb.")}
        )
        for group, rights in _GROUPS.items():
            await make_group(self._instances, server, group, rights)


class UserKind(Kind):
    """A login role, which is created in the primary."""

    limits = limits.USER

    def __init__(self, instances: Instances, nodes: InstanceKind) -> None:
        self._instances, self._nodes = instances, nodes

    def identify(self, inputs: Properties, _place: Place) -> str:
        """Return the user's full name."""
        return f"{inputs['cluster']}/users/{inputs['userId']}"

    async def create(self, draft: Draft) -> Properties:
        """Create the role, or adopt one left by an earlier cluster of the same name; set its memberships.

        Raises:
            CloudError: A database role does not exist, or the cluster has no primary:
                https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/alloydb_user
                has each user depend on one, and https://github.com/GoogleCloudPlatform/magic-modules/pull/8431
                says that Google's answers are errors without.
        """
        inputs = draft.inputs
        cluster = inputs["cluster"]
        if self._nodes.primary_of(cluster) is None:
            raise CloudError(
                f"googleapi: Error 400: {cluster} has no primary instance, in which users are made., "
                "failedPrecondition"
            )
        await make_user(
            self._instances,
            server_of(cluster),
            inputs["userId"],
            inputs.get("databaseRoles", []),
            password=inputs.get("password", self._instances.password_of(inputs["userId"])),
        )
        return {"name": draft.id, **inputs}

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Replace the role's memberships by the new list."""
        return await self.create(draft)

    async def delete(self, record: Record) -> None:
        """Drop the role; fails while it owns anything."""
        await drop_user(self._instances, server_of(record.inputs["cluster"]), record.inputs["userId"])


def server_of(cluster: str) -> str:
    """Return the name of the PostgreSQL that runs a cluster's primary."""
    return f"alloydb-{cluster.rpartition('/')[2]}"
