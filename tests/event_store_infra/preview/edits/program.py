"""Edits of the program."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import DEAD_LETTERS, SUBSCRIPTIONS, TOPICS
from tests.event_store_infra.preview.edits.edit import Edit, Patch

_SETTINGS: Final = "settings = settings or Settings.parse(CONFIG.get())"
_RAISE: Final = f'raise RuntimeError("`a`</details> @octocat\\n# forged")\n        {_SETTINGS}'

_RETAINED: Final = """deletion_policy="ABANDON",
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),"""
_RESTORED_OVER: Final = """        clone=clone,
        restore_backup_context=sql.DatabaseInstanceRestoreBackupContextArgs(backup_run_id=1),"""
_DEAD_LETTER_POLICY: Final = """
            dead_letter_policy=pubsub.SubscriptionDeadLetterPolicyArgs(
                dead_letter_topic=dead_letters.id,
                max_delivery_attempts=subscription.max_delivery_attempts,
            ),"""


def _edit(name: str, *patches: tuple[str, str, str], **expected: Any) -> Edit:
    program = tuple(Patch(f"components/{file}", old, new) for file, old, new in patches)
    return Edit(name=name, base="prod-unprotected", program=program, **expected)


EDITS: Final = (
    _edit(
        "rename-every-topic-in-the-program",
        ("bus/topics.py", 'f"{self._name}-{topic.name}",', 'f"{self._name}-{topic.name}-topic",'),
        headline="refused, ",
        refused={
            *(("delete", f"bus-{each}") for each in TOPICS),
            # All but the kept generation, which keeps its topic, too.
            *(
                ("replace", f"bus-{each}-subscription")
                for each in SUBSCRIPTIONS
                if each != "second" and each not in DEAD_LETTERS
            ),
        },
    ),
    _edit(
        "rename-the-instance-in-the-program",
        ("database/database.py", 'f"{name}-instance"', 'f"{name}-primary"'),
        headline="refused, 2 changes would lose data",
        refused={("delete", "database-instance"), ("create", "database-primary")},
        says=("alias",),
    ),
    _edit(
        "rename-the-bus-s-type-in-the-program",
        ("bus/event_bus.py", "event-store:infra:EventBus", "event-store:infra:Bus"),
        headline="refused, ",
        refused={
            *(("delete", f"bus-{each}") for each in TOPICS),
            *(("delete", f"bus-{each}-subscription") for each in SUBSCRIPTIONS),
            *(("delete", f"bus-{each}") for each in DEAD_LETTERS),
            ("delete", "bus-push"),
            ("delete", "bus-key-security.europe-west1.events.topics"),
        },
    ),
    _edit(
        "retain-a-database-that-would-be-deleted",
        (
            "database/database.py",
            'deletion_policy="ABANDON",\n        opts=opts,',
            _RETAINED,
        ),
        headline="no change",
    ),
    _edit(
        "restore-a-backup-over-the-instance",
        (
            "database/database.py",
            "        clone=clone,",
            _RESTORED_OVER,
        ),
        headline="refused, 1 change would lose data",
        refused={("update restoreBackupContext", "database-instance")},
        says=("restoreBackupContext",),
    ),
    _edit(
        "let-subscriptions-expire",
        (
            "bus/subscription.py",
            'SubscriptionExpirationPolicyArgs(ttl="")',
            'SubscriptionExpirationPolicyArgs(ttl="86400s")',
        ),
        headline="refused, 11 changes would lose data",
        refused={("update expirationPolicy.ttl", f"bus-{each}-subscription") for each in SUBSCRIPTIONS},
    ),
    _edit(
        "delete-images-by-a-policy",
        (
            "registry/registry.py",
            'tag_state="UNTAGGED", older_than="2592000s"',
            'tag_state="ANY", older_than="86400s"',
        ),
        headline="refused, 1 change would lose data",
        refused={("update cleanupPolicies", "registry-repository")},
    ),
    _edit(
        "delete-the-database-with-its-entry",
        ("database/database.py", 'deletion_policy="ABANDON"', 'deletion_policy="DELETE"'),
        headline="loses no data, but 1 change is less safe",
        says=("deletionPolicy",),
    ),
    _edit(
        "leave-the-backups-out",
        (
            "database/instance_settings.py",
            "backup_configuration=None if is_replica else _backups(settings)",
            "backup_configuration=None",
        ),
        headline="the preview failed",
    ),
    _edit(
        "stop-the-instance",
        ("database/instance_settings.py", 'activation_policy="ALWAYS"', 'activation_policy="NEVER"'),
        headline="loses no data, but stops ",
    ),
    _edit(
        "let-the-disk-fill-up",
        ("database/instance_settings.py", "disk_autoresize=True", "disk_autoresize=False"),
        headline="loses no data, but 2 changes are less safe",
    ),
    _edit(
        "shorten-the-retention-of-dead-letters",
        ("bus/topics.py", 'f"{DEAD_LETTER_RETENTION_SECONDS}s"', '"604800s"'),
        headline="refused, 5 changes would lose data",
        refused={("update messageRetentionDuration", f"bus-{each}-subscription") for each in DEAD_LETTERS},
    ),
    Edit(
        name="raise-an-error-that-looks-like-markdown",
        base="prod-unprotected",
        program=(Patch("stack.py", _SETTINGS, _RAISE),),
        headline="the preview failed",
    ),
    _edit(
        "take-the-grants-of-dead-letters-away",
        ("bus/event_bus.py", "self._agent.may_take_dead_letters(name, made)", "pass"),
        headline="loses no data, but stops ",
    ),
    _edit(
        "let-apis-be-disabled",
        ("project/project_services.py", "disable_on_destroy=False", "disable_on_destroy=True"),
        headline="loses no data, but 10 changes are less safe",
    ),
    _edit(
        "rename-the-accounts",
        (
            "workload/container.py",
            'account_id=f"{args.prefix}-{role}"',
            'account_id=f"{args.prefix}-{role}s"',
        ),
        headline="refused, 2 changes could not be taken back",
        refused={("replace", "event-store-account"), ("replace", "migrations-account")},
        says=('instead: set `accountId` back to `"event-store-runtime"`',),
    ),
    _edit(
        "give-up-on-dead-letters",
        (
            "bus/event_bus.py",
            _DEAD_LETTER_POLICY,
            "",
        ),
        headline="loses no data, but stops ",
    ),
    _edit(
        "create-topics-before-deleting-them",
        ("bus/topics.py", "pulumi.ResourceOptions(delete_before_replace=True)", "pulumi.ResourceOptions()"),
        headline="no change",
    ),
    _edit(
        "no-longer-enable-an-api",
        ("project/project_services.py", '    "servicenetworking",\n', ""),
        headline="loses no data",
    ),
)
