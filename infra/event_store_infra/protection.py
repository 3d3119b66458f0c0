"""The resource types that hold data, and the first of three layers of deletion protection.

Pulumi refuses to delete or replace a resource that is protected; the provider refuses to delete an instance
of Cloud SQL, and so does Google itself: see `event_store_infra.components.database`. AlloyDB has the
first two layers.
The database in an instance goes with the instance and cannot be lost by itself: Pulumi only ever forgets it.
A read replica or a read pool holds nothing of its own, and no layer keeps it: one update takes it away.
"""

from typing import Final

import pulumi

HOLDS_DATA: Final = frozenset(
    {
        "gcp:alloydb/cluster:Cluster",
        "gcp:alloydb/instance:Instance",
        "gcp:pubsub/schema:Schema",
        "gcp:pubsub/subscription:Subscription",
        "gcp:pubsub/topic:Topic",
        "gcp:sql/databaseInstance:DatabaseInstance",
    }
)
FOLLOWING: Final = frozenset({"READ_REPLICA_INSTANCE", "READ_POOL"})


def protect_data(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    """Protect what holds data: a transformation that a component hands on to its children."""
    if args.type_ not in HOLDS_DATA or args.props.get("instance_type") in FOLLOWING:
        return None
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    return pulumi.ResourceTransformationResult(args.props, opts)
