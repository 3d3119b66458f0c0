"""The table of all identities of a stack and its delivery, with their roles.

The one table of grants. `infra/bootstrap` makes the grants of deployer and previewer from it, and those of a
stack's accounts on the project; all others are made by the components that own what they are on, and a test
compares both with the table.
"""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

IDENTITIES: Final[Mapping[str, str]] = {
    "deployer": "`pulumi up` in the workflow `deploy`, from one GitHub environment of the repository only",
    "previewer": "`pulumi preview` in the workflows `preview` and `drift`; it changes nothing",
    "migrator": "the migrations' job; in the database it owns the tables",
    "runtime": "the service with its relay; in the database it may append and read, not change the schema",
    "relay": "the relay, if a worker pool of its own runs it; in the database it may do what the runtime may",
    "Pub/Sub": "Google's own service agent of Pub/Sub in the project",
    "Cloud SQL": "Google's own service agent of Cloud SQL in the project",
    "AlloyDB": "Google's own service agent of AlloyDB in the project",
    "Cloud Run": "Google's own service agent of Cloud Run in the project",
    "push": "push requests carry its token; it may call endpoints and nothing else, and always stays",
    "consumer": "a member of `consumers` of a subscription",
    "invoker": "a member of `event-store:service.invokers`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One role of one identity.

    Attributes:
        identity: One of `IDENTITIES`; a GitHub workflow for the right to be one.
        role: A predefined role, or the name of a custom one of ours.
        kind: The type of the resource that grants it, without `gcp:`; it tells what the role is on.
        on: What it is on, in words.
        why: What it is needed for.
        condition: What narrows it down, in the language of IAM conditions, with `{bucket}` for the state's
            bucket, `{program}` for the name in the program's Pulumi.yaml and `{stack}` for the stack.
    """

    identity: str
    role: str
    kind: str
    on: str
    why: str
    condition: str = ""

    def narrowed(self, *, bucket: str, program: str, stack: str) -> str:
        """Return the condition of one stack; empty for none.

        Args:
            bucket: The bucket with Pulumi's state.
            program: The name in the `Pulumi.yaml` of the program.
            stack: The name of the stack.
        """
        names = {"{bucket}": bucket, "{program}": program, "{stack}": stack}
        return re.sub(r"\{\w+\}", lambda found: names[found[0]], self.condition)


PREVIEWER_ROLE: Final = "event_store_previewer"
PROJECT: Final = "projects/iAMMember:IAMMember"
ACCOUNT: Final = "serviceaccount/iAMMember:IAMMember"
BUCKET: Final = "storage/bucketIAMMember:BucketIAMMember"
KEY: Final = "kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
TOPIC: Final = "pubsub/topicIAMMember:TopicIAMMember"
SUBSCRIPTION: Final = "pubsub/subscriptionIAMMember:SubscriptionIAMMember"
TABLE: Final = "bigquery/iamMember:IamMember"
REPOSITORY: Final = "artifactregistry/repositoryIamMember:RepositoryIamMember"
SERVICE: Final = "cloudrunv2/serviceIamMember:ServiceIamMember"

# What an identity logs in with, by the database's engine. A direct connection with a token takes no role to
# connect: https://cloud.google.com/sql/docs/postgres/add-manage-iam-users#grant-db-privileges
LOGIN_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "cloudsql": ("roles/cloudsql.instanceUser",),
    "alloydb": ("roles/alloydb.databaseUser", "roles/serviceusage.serviceUsageConsumer"),
}
# By the end of its id, what acts as each account of a stack, and which identity of `IDENTITIES` it is.
ACCOUNTS: Final[Mapping[str, str]] = {
    "migrator": "migrations",
    "runtime": "service",
    "relay": "relay",
    "push": "push subscriptions",
}
# Where Pulumi keeps what it knows of a stack: https://github.com/pulumi/pulumi/blob/v3.259.0/pkg/backend/diy/store.go
_LOCKS: Final = ".pulumi/locks/organization/{program}/{stack}/"
# Not another stack, such as the bootstrap's, and not `.pulumi/meta.yaml`, which tells Pulumi where to look.
_STATE: Final = (
    ".pulumi/stacks/{program}/{stack}.",
    ".pulumi/history/{program}/{stack}/",
    ".pulumi/backups/{program}/{stack}/",
    _LOCKS,
)


def _only(*paths: str) -> str:
    """Return the condition that an object is below one of some paths."""
    objects = "projects/_/buckets/{bucket}/objects/"
    return " || ".join(f"resource.name.startsWith('{objects}{path}')" for path in paths)


def _deployer(role: str, why: str) -> Grant:
    return Grant(identity="deployer", role=role, kind=PROJECT, on="the project", why=why)


GRANTS: Final = (
    # Google grants what makes a new resource on the project only: there is nothing else yet to grant it on.
    _deployer("roles/alloydb.admin", "makes cluster, instances and users, with the engine `alloydb`"),
    _deployer("roles/artifactregistry.admin", "makes the repository and pushes the image"),
    _deployer("roles/cloudsql.admin", "makes instance, database and users"),
    _deployer("roles/compute.networkAdmin", "makes the network and its peering with Google's"),
    _deployer("roles/logging.configWriter", "makes the metrics that alerts count log lines with"),
    _deployer("roles/monitoring.editor", "makes alerts, channels and dashboard"),
    _deployer("roles/pubsub.admin", "makes topics and subscriptions, and grants on them"),
    _deployer("roles/run.admin", "makes service, worker pool and job, and lets invokers call"),
    _deployer("roles/serviceusage.serviceUsageAdmin", "enables the APIs"),
    Grant(
        identity="deployer",
        role="roles/iam.serviceAccountUser",
        kind=ACCOUNT,
        on="each account of the stack",
        why="starts containers and push subscriptions that act as it, and as no other",
    ),
    Grant(
        identity="deployer",
        role="roles/artifactregistry.reader",
        kind=REPOSITORY,
        on="the repository of another environment's image",
        why="deploys a promoted image, which Google asks it to be able to read",
    ),
    Grant(
        identity="deployer",
        role="roles/storage.objectViewer",
        kind=BUCKET,
        on="the state's bucket",
        why="finds the stack in it",
    ),
    Grant(
        identity="deployer",
        role="roles/storage.objectUser",
        kind=BUCKET,
        on="the stack in the state's bucket",
        why="keeps the stack's state, and no other's: not that of the bootstrap, which grants it its roles",
        condition=_only(*_STATE),
    ),
    Grant(
        identity="deployer",
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        kind=KEY,
        on="the stack's key",
        why="keeps the stack's secrets",
    ),
    Grant(
        identity="previewer",
        role=PREVIEWER_ROLE,
        kind=PROJECT,
        on="the project",
        why="looks at each resource for drift, one `get` permission per type, and at how much a backlog "
        "holds; no data",
    ),
    Grant(
        identity="previewer",
        role="roles/storage.objectViewer",
        kind=BUCKET,
        on="the state's bucket",
        why="reads the stack's state",
    ),
    Grant(
        identity="previewer",
        role="roles/storage.objectUser",
        kind=BUCKET,
        on="the stack's locks in the state's bucket",
        why="takes Pulumi's lock, and gives it back",
        condition=_only(_LOCKS),
    ),
    Grant(
        identity="previewer",
        role="roles/cloudkms.cryptoKeyDecrypter",
        kind=KEY,
        on="the stack's key",
        why="reads the stack's secrets, if it has any",
    ),
    Grant(
        identity="workflow deploy",
        role="roles/iam.workloadIdentityUser",
        kind=ACCOUNT,
        on="the deployer",
        why="is the deployer, on `main` in the GitHub environment of the stack's name",
    ),
    Grant(
        identity="workflow preview",
        role="roles/iam.workloadIdentityUser",
        kind=ACCOUNT,
        on="the previewer",
        why="is the previewer, on pull requests of the repository itself",
    ),
    Grant(
        identity="workflow drift",
        role="roles/iam.workloadIdentityUser",
        kind=ACCOUNT,
        on="the previewer",
        why="is the previewer, on `main` by schedule or by hand",
    ),
    *(
        Grant(
            identity=identity,
            role=role,
            kind=PROJECT,
            on="the project",
            why=(
                f"logs in to {'Cloud SQL' if 'cloudsql' in role else 'AlloyDB'} with its identity, if that "
                "is the engine; Google grants it on projects only"
            ),
        )
        for identity in ("migrator", "runtime", "relay")
        for roles in LOGIN_ROLES.values()
        for role in roles
    ),
    Grant(
        identity="runtime",
        role="roles/pubsub.publisher",
        kind=TOPIC,
        on="each topic of the topology",
        why="publishes events, unless `relay` does",
    ),
    Grant(
        identity="relay",
        role="roles/pubsub.publisher",
        kind=TOPIC,
        on="each topic of the topology",
        why="publishes events",
    ),
    Grant(
        identity="Pub/Sub",
        role="roles/pubsub.publisher",
        kind=TOPIC,
        on="each dead-letter topic",
        why="publishes dead letters",
    ),
    Grant(
        identity="Pub/Sub",
        role="roles/pubsub.subscriber",
        kind=SUBSCRIPTION,
        on="each subscription with dead letters",
        why="takes a dead letter off its subscription",
    ),
    *(
        Grant(
            identity="Pub/Sub", role=role, kind=TABLE, on="the table of an export", why="writes rows into it"
        )
        for role in ("roles/bigquery.dataEditor", "roles/bigquery.metadataViewer")
    ),
    *(
        Grant(
            identity="Pub/Sub",
            role=role,
            kind=BUCKET,
            on="the bucket of an export",
            why="writes objects into it",
        )
        for role in ("roles/storage.objectCreator", "roles/storage.legacyBucketReader")
    ),
    Grant(
        identity="Pub/Sub",
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        kind=KEY,
        on="each key of a topic, earlier ones too",
        why="encrypts its messages, and reads those that are kept",
    ),
    *(
        Grant(
            identity=engine,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            kind=KEY,
            on="the key `event-store:database.kms_key` and each of `earlier_kms_keys`",
            why="encrypts the database and its backups, and reads those that are kept",
        )
        for engine in ("Cloud SQL", "AlloyDB")
    ),
    Grant(
        identity="Pub/Sub",
        role="roles/iam.serviceAccountTokenCreator",
        kind=ACCOUNT,
        on="the account `push`",
        why="makes the tokens of push requests",
    ),
    Grant(
        identity="push",
        role="roles/run.invoker",
        kind=SERVICE,
        on="each service that a subscription names",
        why="delivers messages to it",
    ),
    Grant(
        identity="consumer",
        role="roles/pubsub.subscriber",
        kind=SUBSCRIPTION,
        on="its subscriptions",
        why="takes messages",
    ),
    Grant(
        identity="Cloud Run",
        role="roles/artifactregistry.reader",
        kind=REPOSITORY,
        on="the repository of another environment's image",
        why="pulls a promoted image",
    ),
    Grant(
        identity="invoker",
        role="roles/run.invoker",
        kind=SERVICE,
        on="the service",
        why="calls the service",
    ),
)


def grants_of(*identities: str) -> tuple[Grant, ...]:
    """Return the grants of some identities, in the table's order."""
    return tuple(each for each in GRANTS if each.identity in identities)


_INTRODUCTION: Final = """\
# Identities

These are the rights of each identity in an environment. `make reference` makes this page from
`infra/event_store_infra/identities.py`. No identity has a password or a key, a basic role (owner, editor,
viewer), or a role on the project if Google can grant it on less. Each grant adds to the grants of others and
removes none.

The bootstrap makes the grants on the project and on accounts, and a stack those on its own resources. Other
owners make [theirs](../howto/deploy.md#what-others-own). A stack without a deployer makes all of its grants
itself.
"""


def page() -> str:
    """Return the table as a page, in Markdown."""
    lines = [_INTRODUCTION, "| identity | who it is |", "|---|---|"]
    lines += [f"| {identity} | {about} |" for identity, about in IDENTITIES.items()]
    lines += ["", "| identity | role | on | why | only if |", "|---|---|---|---|---|"]
    for each in GRANTS:
        condition = f"`{each.condition}`" if each.condition else ""
        lines.append(f"| {each.identity} | `{each.role}` | {each.on} | {each.why} | {condition} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
