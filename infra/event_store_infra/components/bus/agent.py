"""The grants of Pub/Sub's service agent, each on one resource, never on the project."""

import pulumi
from pulumi_gcp import bigquery, kms, projects, pubsub, serviceaccount, storage

from event_store.topology.delivery import BigQueryExport, CloudStorageExport
from event_store_infra.components.database.encryption import short_name
from event_store_infra.components.delivery.account import Account

_TABLE_ROLES = ("roles/bigquery.dataEditor", "roles/bigquery.metadataViewer")
_BUCKET_ROLES = ("roles/storage.objectCreator", "roles/storage.legacyBucketReader")


class Agent:
    """The service agent of the project that the subscriptions are in.

    Args:
        name: What the names in the program begin with.
        project: The id of the project.
        opts: Options of the agent and of every grant.
        is_delivered: Whether CI deploys. Tables, buckets and keys are there before the stack is, and their
            owners let no deployer grant on them: they grant themselves, as docs/howto/deploy.md says.
    """

    def __init__(self, name: str, project: str, opts: pulumi.ResourceOptions, *, is_delivered: bool) -> None:
        self._name, self._project, self._opts = name, project, opts
        self._is_delivered = is_delivered
        # Made once for each thing, however many use it: a second resource of the same grant would take the
        # grant away from the first when it goes.
        self._keys: dict[str, pulumi.Resource] = {}
        self._tables: dict[str, list[pulumi.Resource]] = {}
        self._buckets: dict[str, list[pulumi.Resource]] = {}
        self._identity = projects.ServiceIdentity(
            f"{name}-agent", project=project, service="pubsub.googleapis.com", opts=opts
        )

    def may_encrypt(self, key: str) -> list[pulumi.Resource]:
        """Grant the use of a key; who has it waits for the grant."""
        if self._is_delivered:
            return []
        if key not in self._keys:
            self._keys[key] = kms.CryptoKeyIAMMember(
                f"{self._name}-key-{short_name(key)}",
                crypto_key_id=key,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=self._identity.member,
                opts=self._opts,
            )
        return [self._keys[key]]

    def may_publish_dead_letters(self, name: str, topic: pubsub.Topic) -> None:
        """Grant the right to publish dead letters to their topic."""
        pubsub.TopicIAMMember(
            f"{self._name}-{name}-publisher",
            project=self._project,
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=self._identity.member,
            opts=self._opts,
        )

    def may_take_dead_letters(self, name: str, subscription: pubsub.Subscription) -> None:
        """Grant the right to acknowledge dead letters on their subscription."""
        pubsub.SubscriptionIAMMember(
            f"{self._name}-{name}-subscriber",
            project=self._project,
            subscription=subscription.name,
            role="roles/pubsub.subscriber",
            member=self._identity.member,
            opts=self._opts,
        )

    def may_sign_as(self, account: Account) -> pulumi.Resource:
        """Grant the right to create tokens of an account."""
        return serviceaccount.IAMMember(
            f"{self._name}-push-tokens",
            service_account_id=account.name,
            role="roles/iam.serviceAccountTokenCreator",
            member=self._identity.member,
            opts=self._opts,
        )

    def may_export(self, export: BigQueryExport | CloudStorageExport) -> list[pulumi.Resource]:
        """Grant writing to a table or a bucket, which Google checks when the subscription is made."""
        if self._is_delivered:
            return []
        if isinstance(export, BigQueryExport):
            return self._may_write_rows(export.table)
        return self._may_write_objects(export.bucket)

    def _may_write_rows(self, path: str) -> list[pulumi.Resource]:
        if path not in self._tables:
            project, dataset, table = path.split(".")
            self._tables[path] = [
                bigquery.IamMember(
                    f"{self._name}-table-{path}-{role.rsplit('.', maxsplit=1)[-1]}",
                    project=project,
                    dataset_id=dataset,
                    table_id=table,
                    role=role,
                    member=self._identity.member,
                    opts=self._opts,
                )
                for role in _TABLE_ROLES
            ]
        return self._tables[path]

    def _may_write_objects(self, bucket: str) -> list[pulumi.Resource]:
        if bucket not in self._buckets:
            self._buckets[bucket] = [
                storage.BucketIAMMember(
                    f"{self._name}-bucket-{bucket}-{role.rsplit('.', maxsplit=1)[-1]}",
                    bucket=bucket,
                    role=role,
                    member=self._identity.member,
                    opts=self._opts,
                )
                for role in _BUCKET_ROLES
            ]
        return self._buckets[bucket]
