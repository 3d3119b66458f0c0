"""What is at stake: the types that hold data, or that data hangs on, and those that are known to hold none.

A type that is in neither table is treated as if it held data, until somebody has said which it is.
"""

import fnmatch
from dataclasses import dataclass
from typing import Final

INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
DATABASE: Final = "gcp:sql/database:Database"
CLUSTER: Final = "gcp:alloydb/cluster:Cluster"
NODE: Final = "gcp:alloydb/instance:Instance"
TOPIC: Final = "gcp:pubsub/topic:Topic"
SCHEMA: Final = "gcp:pubsub/schema:Schema"


@dataclass(frozen=True, slots=True)
class Stake:
    """What a resource takes with it.

    Attributes:
        lost: What is lost, after "loses".
        instead: What to do instead of a replacement, a sentence.
        before: What to do before a deletion, a sentence.
    """

    lost: str
    instead: str
    before: str


_RESTORE: Final = (
    "make another instance beside this one, restored from it: see docs/restore.md.",
    "take a backup that outlives the instance, and restore it somewhere once.",
)
_NETWORK: Final = Stake(
    "the database's private address, and with it every connection of service and migrations",
    "a database cannot change its network in place: make another network and instance beside these.",
    "delete the database, or connect it to another network.",
)
_ADDRESSES: Final = Stake(
    "the addresses of every instance of Cloud Run: Google deletes no subnetwork that has one in use, nor for "
    "two hours after, so that the update stops half-way",
    "a subnetwork only ever grows: take a range that holds the one before, or join another one by "
    "`event-store:network.vpc` and `subnetwork`.",
    "move what runs in it to another one, and delete it two hours later.",
)
_KEY: Final = Stake(
    "everything that is encrypted with it, for ever",
    "rotate the key: what is encrypted with an old version stays readable.",
    "encrypt everything anew with another key.",
)

STAKES: Final = {
    INSTANCE: Stake(
        "the log: every event and snapshot, with all checkpoints, and the name for a week", *_RESTORE
    ),
    DATABASE: Stake("the log: every event and snapshot, with all checkpoints", *_RESTORE),
    CLUSTER: Stake("the log: every event and snapshot, with all checkpoints", *_RESTORE),
    NODE: Stake(
        "the way to the log: nobody can append or read until another instance serves",
        "change its machine in place, or add an instance beside it.",
        "let another instance of the cluster serve.",
    ),
    "gcp:alloydb/backup:Backup": Stake(
        "a backup of the log", "take another backup beside it.", "let it expire by itself."
    ),
    TOPIC: Stake(
        "the messages that it retains, and its subscriptions, which get nothing any more",
        "add a topic beside it, route to both, and move the consumers before this one goes.",
        "remove its routes, and let every subscription drain.",
    ),
    "gcp:pubsub/subscription:Subscription": Stake(
        "its backlog: every message that was not acknowledged",
        "give it another `generation` in topology.yaml: the new one is made beside the old one, which goes "
        "once it is drained.",
        "let its consumers drain it, and stop them.",
    ),
    SCHEMA: Stake(
        "all its revisions, without which its topics refuse to publish",
        "commit a new revision.",
        "take it off every topic.",
    ),
    "gcp:secretmanager/secret:Secret": Stake(
        "all its versions", "add a version to it.", "make sure that no revision reads it any more."
    ),
    "gcp:secretmanager/secretVersion:SecretVersion": Stake(
        "its value, which running revisions may still read when they start an instance",
        "add the new version beside it, and disable this one in a later update.",
        "make sure that no revision reads it any more.",
    ),
    "gcp:kms/keyRing:KeyRing": _KEY,
    "gcp:kms/cryptoKey:CryptoKey": _KEY,
    "gcp:kms/cryptoKeyVersion:CryptoKeyVersion": _KEY,
    "gcp:storage/bucket:Bucket": Stake(
        "all its objects, such as the archive of the bus or the state of stacks",
        "make another bucket beside it, and copy the objects.",
        "copy the objects to another bucket.",
    ),
    "gcp:storage/bucketObject:BucketObject": Stake(
        "its content", "write the new object under another name.", "copy it."
    ),
    "gcp:bigquery/dataset:Dataset": Stake(
        "all its tables", "make another dataset beside it, and copy the tables.", "copy the tables."
    ),
    "gcp:bigquery/table:Table": Stake(
        "all its rows", "make another table beside it, and copy the rows.", "copy the rows."
    ),
    "gcp:artifactregistry/repository:Repository": Stake(
        "all images, among them those that run: no instance of the service can start any more",
        "make another repository beside it, and deploy from that.",
        "deploy from another repository.",
    ),
    "gcp:compute/network:Network": _NETWORK,
    "gcp:compute/globalAddress:GlobalAddress": _NETWORK,
    "gcp:compute/subnetwork:Subnetwork": _ADDRESSES,
    "gcp:servicenetworking/connection:Connection": _NETWORK,
}
UNKNOWN_TYPE: Final = Stake(
    "what, nobody has said: the type is in no table of infra/preview/stakes.py",
    *("add it there.", "add it there."),
)

UNKNOWN_OPERATION: Final = Stake(
    "what, nobody can say: this guard does not know the operation",
    *("let the guard learn it first.", "let the guard learn it first."),
)
SERVICE: Final = "gcp:projects/service:Service"
API: Final = Stake(
    "the API, and with it all that stands by it in the project, which is disabled as the resource goes",
    *(
        "set `disable_on_destroy=False` in an update before.",
        "set `disable_on_destroy=False` in an update before.",
    ),
)
_GRANTS: Final = Stake(
    "every grant that it does not name, of people, of other stacks and of Google's own agents",
    "grant by one `…IAMMember` for each member, which leaves the others alone.",
    "grant by one `…IAMMember` for each member, which leaves the others alone.",
)
# https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_project_iam :
# both are authoritative, a policy of the whole resource and a binding of a role.
_AUTHORITATIVE: Final = ("gcp:*IAMPolicy", "gcp:*IamPolicy", "gcp:*IAMBinding", "gcp:*IamBinding")

# Made again from the program alone, without a loss. Shell patterns.
_HOLDS_NONE: Final = (
    "docker-build:index:Image",  # what was pushed stays in the repository
    "gcp:*:*IAMMember",
    "gcp:*:*IamMember",
    "gcp:cloudrunv2/job:Job",
    "gcp:cloudrunv2/service:Service",
    "gcp:cloudrunv2/workerPool:WorkerPool",
    "gcp:compute/firewall:Firewall",
    "gcp:compute/forwardingRule:ForwardingRule",
    "gcp:compute/address:Address",
    "gcp:dns/*",
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
    "gcp:logging/metric:Metric",
    "gcp:monitoring/*",
    "gcp:projects/iAMCustomRole:IAMCustomRole",
    "gcp:projects/service:Service",
    "gcp:projects/serviceIdentity:ServiceIdentity",
    "gcp:serviceaccount/account:Account",
    "gcp:sql/user:User",  # what it owns in the database stays with the database
    "gcp:alloydb/user:User",
)


def stake_in(resource_type: str) -> Stake | None:
    """Return what is lost with a resource of a type, or None if that is nothing.

    Args:
        resource_type: As in `gcp:pubsub/topic:Topic`.
    """
    if resource_type in STAKES:
        return STAKES[resource_type]
    if any(fnmatch.fnmatchcase(resource_type, pattern) for pattern in _HOLDS_NONE):
        return None
    return UNKNOWN_TYPE


def stake_in_grants(resource_type: str) -> Stake | None:
    """Return what is lost as a type replaces the grants of others, even as it is made; None if it does not.

    Args:
        resource_type: As in `gcp:projects/iAMPolicy:IAMPolicy`.
    """
    if any(fnmatch.fnmatchcase(resource_type, pattern) for pattern in _AUTHORITATIVE):
        return _GRANTS
    return None
