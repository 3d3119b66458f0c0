"""Pub/Sub's own service agent, and what it is granted: each right on one resource, never on the project."""

import pulumi
from pulumi_gcp import bigquery, kms, projects, pubsub, serviceaccount, storage

from event_store.topology.delivery import BigQueryExport, CloudStorageExport

_TABLE_ROLES = ("roles/bigquery.dataEditor", "roles/bigquery.metadataViewer")
_BUCKET_ROLES = ("roles/storage.objectCreator", "roles/storage.legacyBucketReader")


class Agent:
    """The service agent of the project that the subscriptions are in.

    Args:
        name: What the names in the program begin with.
        project: The id of the project.
        opts: Options of the agent and of every grant.
    """

    def __init__(self, name: str, project: str, opts: pulumi.ResourceOptions) -> None:
        self._name, self._project, self._opts = name, project, opts
        self._keys: dict[str, pulumi.Resource] = {}
        self._identity = projects.ServiceIdentity(
            f"{name}-agent", project=project, service="pubsub.googleapis.com", opts=opts
        )

    def may_encrypt(self, key: str) -> pulumi.Resource:
        """Grant the use of a key, once however many topics have it; who has it waits for the grant."""
        if key not in self._keys:
            self._keys[key] = kms.CryptoKeyIAMMember(
                f"{self._name}-key-{key.rsplit('/', maxsplit=1)[-1]}-{len(self._keys) + 1}",
                crypto_key_id=key,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=self._identity.member,
                opts=self._opts,
            )
        return self._keys[key]

    def may_publish_dead_letters(self, name: str, topic: pubsub.Topic) -> None:
        """Grant what dead letters need on their topic."""
        pubsub.TopicIAMMember(
            f"{self._name}-{name}-publisher",
            project=self._project,
            topic=topic.name,
            role="roles/pubsub.publisher",
            member=self._identity.member,
            opts=self._opts,
        )

    def may_take_dead_letters(self, name: str, subscription: pubsub.Subscription) -> None:
        """Grant what dead letters need on the subscription that they come from."""
        pubsub.SubscriptionIAMMember(
            f"{self._name}-{name}-subscriber",
            project=self._project,
            subscription=subscription.name,
            role="roles/pubsub.subscriber",
            member=self._identity.member,
            opts=self._opts,
        )

    def may_sign_as(self, account: serviceaccount.Account) -> pulumi.Resource:
        """Grant the making of tokens of one account."""
        return serviceaccount.IAMMember(
            f"{self._name}-push-tokens",
            service_account_id=account.name,
            role="roles/iam.serviceAccountTokenCreator",
            member=self._identity.member,
            opts=self._opts,
        )

    def may_export(self, name: str, export: BigQueryExport | CloudStorageExport) -> list[pulumi.Resource]:
        """Grant writing to a table or a bucket, which Google checks when the subscription is made."""
        if isinstance(export, BigQueryExport):
            project, dataset, table = export.table.split(".")
            return [
                bigquery.IamMember(
                    f"{self._name}-{name}-{role.rsplit('.', maxsplit=1)[-1]}",
                    project=project,
                    dataset_id=dataset,
                    table_id=table,
                    role=role,
                    member=self._identity.member,
                    opts=self._opts,
                )
                for role in _TABLE_ROLES
            ]
        return [
            storage.BucketIAMMember(
                f"{self._name}-{name}-{role.rsplit('.', maxsplit=1)[-1]}",
                bucket=export.bucket,
                role=role,
                member=self._identity.member,
                opts=self._opts,
            )
            for role in _BUCKET_ROLES
        ]
