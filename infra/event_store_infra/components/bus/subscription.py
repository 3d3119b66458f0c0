"""The arguments of a subscription, its delivery among them."""

from collections.abc import Mapping
from typing import Any, Final

from pulumi_gcp import pubsub

from event_store.topology import Subscription
from event_store.topology.delivery import TEXT, BigQueryExport, CloudStorageExport, Push
from event_store_infra.components.delivery.account import Account

NEVER: Final = pubsub.SubscriptionExpirationPolicyArgs(ttl="")  # unset would mean after 31 idle days
# What Google cannot change: another value is another subscription, and the backlog of this one is lost.
IMMUTABLE: Final = ("topic", "filter", "enableMessageOrdering")


def arguments(subscription: Subscription, labels: Mapping[str, str], push: Account | None) -> dict[str, Any]:
    """Return the arguments that all generations of a subscription share.

    Args:
        subscription: As the topology declares it.
        labels: The stack's.
        push: The identity of push requests; None where nothing is pushed.
    """
    retry = subscription.retry_policy
    return {
        "ack_deadline_seconds": subscription.ack_deadline_seconds,
        "message_retention_duration": f"{subscription.message_retention_seconds}s",
        "retain_acked_messages": subscription.retain_acked_messages,
        "enable_message_ordering": subscription.enable_message_ordering,
        "enable_exactly_once_delivery": subscription.enable_exactly_once_delivery,
        "filter": subscription.filter or None,
        "expiration_policy": NEVER,
        "retry_policy": pubsub.SubscriptionRetryPolicyArgs(
            minimum_backoff=f"{retry.minimum_backoff_seconds}s",
            maximum_backoff=f"{retry.maximum_backoff_seconds}s",
        ),
        "labels": {**labels, **subscription.labels},
        **_delivery(subscription.delivery, push),
    }


def _delivery(
    delivery: Push | BigQueryExport | CloudStorageExport | None, push: Account | None
) -> dict[str, Any]:
    match delivery:
        case Push():
            if push is None:
                raise ValueError("a push subscription needs the push identity")
            token = pubsub.SubscriptionPushConfigOidcTokenArgs(
                service_account_email=push.email, audience=delivery.audience or None
            )
            return {
                "push_config": pubsub.SubscriptionPushConfigArgs(
                    push_endpoint=delivery.endpoint, oidc_token=token
                )
            }
        case BigQueryExport():
            return {
                "bigquery_config": pubsub.SubscriptionBigqueryConfigArgs(
                    table=delivery.table,
                    use_topic_schema=delivery.use_topic_schema,
                    use_table_schema=delivery.use_table_schema,
                    write_metadata=delivery.write_metadata,
                    drop_unknown_fields=delivery.drop_unknown_fields,
                )
            }
        case CloudStorageExport():
            return {"cloud_storage_config": _objects(delivery)}
        case None:
            return {}


def _objects(export: CloudStorageExport) -> pubsub.SubscriptionCloudStorageConfigArgs:
    avro = pubsub.SubscriptionCloudStorageConfigAvroConfigArgs(write_metadata=True)
    return pubsub.SubscriptionCloudStorageConfigArgs(
        bucket=export.bucket,
        filename_prefix=export.filename_prefix or None,
        filename_suffix=export.filename_suffix or None,
        max_duration=f"{export.maximum_seconds}s",
        max_bytes=export.maximum_bytes,
        max_messages=export.maximum_messages,
        avro_config=None if export.form == TEXT else avro,
    )
