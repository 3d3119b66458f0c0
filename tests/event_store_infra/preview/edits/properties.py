"""Edits of single properties in the program, of types that the other tables hardly touch: dev and staging."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_INSTANCE: Final = "database/instance_settings.py"
_SERVICE: Final = "workload/event_store.py"
_LESS_SAFE: Final = "loses no data, but 1 change is less safe"
_STOPS: Final = "loses no data, but stops "


def _edit(name: str, *patches: tuple[str, str, str], base: str = "dev", **expected: Any) -> Edit:
    program = tuple(Patch(f"components/{file}", old, new) for file, old, new in patches)
    return Edit(name=name, base=base, program=program, **expected)


EDITS: Final = (
    _edit(
        "let-connections-go-without-encryption",
        (_INSTANCE, '"ENCRYPTED_ONLY"', '"ALLOW_UNENCRYPTED_AND_ENCRYPTED"'),
        headline=_LESS_SAFE,
        says=("sslMode",),
    ),
    _edit(
        "give-the-instance-a-public-address",
        (_INSTANCE, "ipv4_enabled=False", "ipv4_enabled=True"),
        headline=_LESS_SAFE,
        says=("ipv4Enabled",),
    ),
    _edit(
        "look-at-no-queries",
        (_INSTANCE, "query_insights_enabled=True", "query_insights_enabled=False"),
        headline="loses no data",
    ),
    _edit(
        # https://docs.cloud.google.com/sql/docs/postgres/instance-settings : it cannot be changed.
        # A newer provider makes no other instance for it, and tries:
        # https://github.com/GoogleCloudPlatform/magic-modules/pull/18439
        "take-a-slower-disk",
        (_INSTANCE, 'disk_type="PD_SSD"', 'disk_type="PD_HDD"'),
        headline="refused, Google would not make",
    ),
    _edit(
        "let-anybody-be-an-invoker",
        (_SERVICE, "invoker_iam_disabled=False", "invoker_iam_disabled=True"),
        headline=_LESS_SAFE,
        says=("invokerIamDisabled",),
    ),
    _edit(
        "let-the-internet-reach-the-service",
        (_SERVICE, '"INGRESS_TRAFFIC_INTERNAL_ONLY"', '"INGRESS_TRAFFIC_ALL"'),
        headline=_LESS_SAFE,
        says=("ingress",),
    ),
    _edit(
        "idle-between-requests",
        (_SERVICE, "cpu_idle=False", "cpu_idle=True"),
        headline=_STOPS,
        says=("cpuIdle",),
    ),
    _edit(
        "listen-on-another-protocol",
        (_SERVICE, 'name="h2c"', 'name="http1"'),
        headline=_STOPS,
    ),
    _edit(
        "boost-no-startup",
        (_SERVICE, "startup_cpu_boost=True", "startup_cpu_boost=False"),
        headline="loses no data",
    ),
    _edit(
        "end-streams-sooner",
        (_SERVICE, "REQUEST_SECONDS: Final = 3600", "REQUEST_SECONDS: Final = 1800"),
        headline="loses no data",
    ),
    _edit(
        "take-the-address-of-the-service-away",
        (_SERVICE, "default_uri_disabled=False", "default_uri_disabled=True"),
        headline=_STOPS,
    ),
    _edit(
        "give-the-service-another-name",
        (_SERVICE, "name=args.prefix,", 'name=f"{args.prefix}-2",'),
        headline=_STOPS,
        says=("event-store-service",),
    ),
    _edit(
        "send-all-traffic-through-the-network",
        ("workload/container.py", '"PRIVATE_RANGES_ONLY"', '"ALL_TRAFFIC"'),
        headline="loses no data, but 2 changes are less safe",
    ),
    _edit(
        "name-the-job-otherwise",
        ("workload/migrations.py", 'f"{args.prefix}-migrate"', 'f"{args.prefix}-migrations"'),
        headline="loses no data",
    ),
    _edit(
        "try-a-failed-migration-again",
        ("workload/migrations.py", '"max_retries": 0', '"max_retries": 3'),
        headline="loses no data",
    ),
    _edit(
        "reach-google-from-the-subnetwork-no-more",
        ("network/network.py", '"privateIpGoogleAccess": True', '"privateIpGoogleAccess": False'),
        headline=_STOPS,
    ),
    _edit(
        "route-the-network-globally",
        ("network/network.py", '"routingMode": "REGIONAL"', '"routingMode": "GLOBAL"'),
        headline="loses no data",
    ),
    _edit(
        "rename-the-network-in-the-program",
        ("network/network.py", 'f"{name}-vpc"', 'f"{name}-net"'),
        headline="refused, 4 changes could not be taken back",
        refused={
            ("delete", "network-vpc"),
            ("replace", "network-subnetwork"),
            ("replace", "network-services"),
            ("replace", "network-peering"),
        },
    ),
    _edit(
        "drop-users-with-their-entries",
        ("database/login.py", 'kept = "ABANDON"', 'kept = "DELETE"'),
        headline="loses no data, but 2 changes are less safe",
        says=("deletionPolicy",),
    ),
    _edit(
        "let-nobody-log-in",
        ("database/login.py", "for role in () if args.is_delivered else", "for role in () if True else"),
        headline=_STOPS,
        says=("cloudsql.instanceUser",),
    ),
    _edit(
        "let-the-service-publish-nothing",
        ("workload/workload.py", "if publishes else ()", "if False else ()"),
        headline=_STOPS,
        says=("roles/pubsub.publisher",),
    ),
    _edit(
        "try-cleaning-of-images-only",
        ("registry/registry.py", "cleanup_policy_dry_run=False", "cleanup_policy_dry_run=True"),
        headline="loses no data",
    ),
    _edit(
        "keep-fewer-images",
        ("registry/registry.py", "keep_count=20", "keep_count=1"),
        headline="refused, 1 change would lose data",
        refused={("update cleanupPolicies", "registry-repository")},
    ),
    _edit(
        "sign-push-requests-no-more",
        ("bus/subscription.py", "oidc_token=token", "oidc_token=None"),
        base="prod-unprotected",
        headline=_STOPS,
        says=("oidcToken",),
    ),
    _edit(
        "switch-alerts-off",
        ("monitoring/monitoring.py", "enabled=True", "enabled=False"),
        base="endpoint",
        headline="loses no data, but ",
        says=("less safe", "enabled"),
    ),
    Edit(
        name="tell-nobody-of-alerts",
        base="endpoint",
        config={"monitoring.emails": []},
        headline="loses no data, but ",
        says=("less safe",),
    ),
    Edit(
        name="run-fewer-instances", base="dev", config={"service.max_instances": 1}, headline="loses no data"
    ),
    Edit(
        name="back-up-at-another-hour", base="dev", config={"database.backup_start_time": "03:00"}, **HARMLESS
    ),
    Edit(name="log-errors-only", base="dev", config={"service.log_level": "ERROR"}, headline="loses no data"),
    Edit(
        name="serve-more-requests-at-once",
        base="dev",
        config={"service.concurrency": 500},
        headline="loses no data",
    ),
    Edit(
        name="let-an-environment-read-images",
        base="dev",
        config={"image_readers": ["serviceAccount:a@b.iam.gserviceaccount.com"]},
        **HARMLESS,
    ),
    Edit(
        name="trust-another-authority",
        base="dev",
        config={"database.trusted_ca": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
        headline="loses no data",
    ),
)
