"""Edits of what an instance, a cluster, a database and a login are set to."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_CLUSTER: Final = "alloydb-unprotected"
_SERVICE: Final = "loses no data, but stops "
_WITHOUT_BACKUPS_LEFT: Final = "retain_backups_on_delete=protected and not is_replica"


def _edit(name: str, *patches: tuple[str, str, str], **what: Any) -> Edit:
    program = tuple(Patch(f"components/{file}", old, new) for file, old, new in patches)
    return Edit(name=name, program=program, **{"base": "prod-unprotected", **what})


EDITS: Final = (
    _edit(
        "let-only-google-s-connectors-connect",
        (
            "database/instance_settings.py",
            'connector_enforcement="NOT_REQUIRED"',
            'connector_enforcement="REQUIRED"',
        ),
        headline=f"{_SERVICE}whoever connects directly",
        says=("settings.connectorEnforcement",),
    ),
    _edit(
        "ask-every-client-for-a-certificate",
        (
            "database/instance_settings.py",
            'ssl_mode="ENCRYPTED_ONLY"',
            'ssl_mode="TRUSTED_CLIENT_CERTIFICATE_REQUIRED"',
        ),
        headline=f"{_SERVICE}whoever has no client certificate",
    ),
    _edit(
        "connect-without-encryption",
        (
            "database/instance_settings.py",
            'ssl_mode="ENCRYPTED_ONLY"',
            'ssl_mode="ALLOW_UNENCRYPTED_AND_ENCRYPTED"',
        ),
        headline="loses no data, but 2 changes are less safe",
        says=("asks less of a connection",),
    ),
    _edit(
        "give-the-instance-of-prod-a-public-address",
        ("database/instance_settings.py", "ipv4_enabled=False", "ipv4_enabled=True"),
        headline="loses no data, but 2 changes are less safe",
        says=("public internet",),
    ),
    _edit(
        "let-the-backups-go-with-the-instance",
        ("database/instance_settings.py", _WITHOUT_BACKUPS_LEFT, "retain_backups_on_delete=False"),
        base="prod",
        headline="loses no data, but 1 change is less safe",
        says=("its backups go with it",),
    ),
    _edit(
        "let-google-delete-the-instance",
        (
            "database/instance_settings.py",
            "deletion_protection_enabled=protected and not is_replica",
            "deletion_protection_enabled=False",
        ),
        base="prod",
        headline="loses no data, but 1 change is less safe",
        says=("Google no longer refuses to delete it",),
    ),
    _edit(
        "rename-the-database-in-the-instance",
        ("database/database.py", 'DATABASE_NAME: Final = "event_store"', 'DATABASE_NAME: Final = "events"'),
        headline="refused, 2 changes would lose data",
        refused={
            ("replace", "database-database"),
            ("update template.containers.envs.PGDATABASE", "event-store-service"),
        },
        says=("sight of the log", "migrations run in another database"),
    ),
    _edit(
        "make-no-login-a-member-of-its-role",
        ("database/login.py", "database_roles=args.database_roles,\n        deletion", "deletion"),
        headline=f"{_SERVICE}whoever uses a right of the role",
    ),
    _edit(
        "answer-appends-before-they-are-on-disk",
        config={"database.flags": {"synchronous_commit": "off"}},
        headline="the preview failed",
        says=("an append is answered when it is on the disk",),
    ),
    _edit(
        "let-every-transaction-only-read",
        config={"database.flags": {"default_transaction_read_only": "on"}},
        headline=f"{_SERVICE}whoever appends",
    ),
    _edit(
        "end-every-statement-after-a-millisecond",
        config={"database.flags": {"statement_timeout": "1"}},
        **HARMLESS,  # every session of ours has a time of its own
    ),
    _edit(
        "log-every-statement",
        config={"database.flags": {"log_statement": "all"}},
        headline="loses no data, but 2 changes are less safe",
        says=("Cloud Logging",),
    ),
    _edit(
        "let-fewer-connections-in",
        config={"database.flags": {"max_connections": "20"}},
        headline="the preview failed",
    ),
    _edit(
        "set-flags-that-nobody-has-classified",
        (
            "database/instance_settings.py",
            '{"cloudsql.iam_authentication": "on", **flags}',
            '{"cloudsql.iam_authentication": "on", "zero_damaged_pages": "on", **flags}',
        ),
        headline="loses no data, but 2 changes are less safe",
        says=("nobody has said what a change of the flag `zero_damaged_pages` does",),
    ),
    _edit(
        "let-five-clients-connect",
        (
            "database/instance_settings.py",
            '{"cloudsql.iam_authentication": "on", **flags}',
            '{"cloudsql.iam_authentication": "on", "max_connections": "5", **flags}',
        ),
        headline="loses no data, but 2 changes are less safe",
        says=("fewer clients connect at a time",),
    ),
    _edit(
        "promote-the-replica-in-the-program",
        (
            "database/database.py",
            'READ_REPLICA_INSTANCE",\n        master_instance_name=primary.name,\n',
            'CLOUD_SQL_INSTANCE",\n',
        ),
        headline="refused, 1 change could not be taken back",
        refused={("replace", "database-replica")},
        says=("cuts off the replica from its primary: it becomes a log of its own",),
        omits=("Goes without a loss",),
    ),
    _edit(
        "follow-no-primary-any-more",
        (
            "database/database.py",
            '        instance_type="READ_REPLICA_INSTANCE",\n        master_instance_name=primary.name,\n',
            "",
        ),
        headline="refused, 1 change could not be taken back",
        refused={("replace", "database-replica")},
    ),
    _edit(
        "shrink-the-disk",
        (
            "database/database.py",
            'ignore_changes = ["settings.diskSize", "clone",',
            'ignore_changes = ["clone",',
        ),
        config={"database.disk_size_gb": 10},
        headline="refused, Google would not make",
        says=("a disk never shrinks",),
    ),
    _edit(
        "maintain-on-another-day",
        config={"database.maintenance_day": 3, "database.maintenance_hour": 3},
        **HARMLESS,
    ),
    _edit("back-up-prod-at-another-hour", config={"database.backup_start_time": "04:00"}, **HARMLESS),
    _edit(
        "record-the-addresses-of-clients",
        ("database/instance_settings.py", "record_client_address=False", "record_client_address=True"),
        **HARMLESS,
    ),
    _edit(
        "back-a-cluster-up-once-a-week",
        ("database/alloydb.py", "days_of_weeks=_DAYS", 'days_of_weeks=["SUNDAY"]'),
        base=_CLUSTER,
        headline="loses no data, but 1 change is less safe",
        says=("fewer days",),
    ),
    _edit(
        "give-the-cluster-a-public-address",
        ("database/alloydb.py", "enable_public_ip=False", "enable_public_ip=True"),
        base=_CLUSTER,
        headline="loses no data, but 2 changes are less safe",
        says=("public internet",),
    ),
    _edit(
        "let-only-connectors-reach-the-cluster",
        ("database/alloydb.py", "require_connectors=False", "require_connectors=True"),
        base=_CLUSTER,
        headline=f"{_SERVICE}whoever connects directly",
    ),
    _edit(
        "make-the-cluster-a-secondary",
        ("database/alloydb.py", 'cluster_type="PRIMARY"', 'cluster_type="SECONDARY"'),
        base=_CLUSTER,
        headline=f"{_SERVICE}whoever appends to it",
    ),
    _edit(
        "try-the-cluster-for-free",
        ("database/alloydb.py", 'subscription_type="STANDARD"', 'subscription_type="TRIAL"'),
        base=_CLUSTER,
        headline="loses no data, but 1 change is less safe",
    ),
    _edit(
        "take-a-role-from-a-login-of-the-cluster",
        ("database/login.py", '["alloydbiamuser", *args.database_roles]', '["alloydbiamuser"]'),
        base=_CLUSTER,
        headline=f"{_SERVICE}whoever uses a right of the role",
    ),
    _edit(
        "read-from-one-node-of-the-cluster",
        config={"alloydb.read_nodes": 1},
        base=_CLUSTER,
        headline="loses no data, but 1 change is less safe",
        says=("a pool of one node is in one zone",),
    ),
    _edit(
        "wait-for-no-upgrade-of-the-cluster",
        (
            "database/alloydb.py",
            "skip_await_major_version_upgrade=False",
            "skip_await_major_version_upgrade=True",
        ),
        base=_CLUSTER,
        headline="loses no data, but 1 change is less safe",
    ),
)
