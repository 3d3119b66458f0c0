"""Edits of the program."""

from typing import Any, Final

from tests.preview.edits.bases import DEAD_LETTERS, SUBSCRIPTIONS, TOPICS
from tests.preview.edits.edit import Edit, Patch

_SILENT: Final = "whom it stops is not said"
_RAISE: Final = (
    'raise RuntimeError("`a`</details> @octocat\\n# forged")\n    settings = Settings.parse(CONFIG.get())'
)

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
        ("database.py", 'f"{name}-instance"', 'f"{name}-primary"'),
        headline="refused, 1 change would lose data",
        refused={("delete", "database-instance")},
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
        pending="the identity of push requests and the grant on the key are not among it",
    ),
    _edit(
        "retain-a-database-that-would-be-deleted",
        (
            "database.py",
            'deletion_policy="ABANDON",\n        opts=opts,',
            _RETAINED,
        ),
        headline="no change",
    ),
    _edit(
        "restore-a-backup-over-the-instance",
        (
            "database.py",
            "        clone=clone,",
            _RESTORED_OVER,
        ),
        headline="refused, 1 change would lose data",
        refused={("update", "database-instance")},
        says=("restoreBackupContext",),
        pending="a backup is restored over the log, and is not even named",
    ),
    _edit(
        "let-subscriptions-expire",
        (
            "bus/subscription.py",
            'SubscriptionExpirationPolicyArgs(ttl="")',
            'SubscriptionExpirationPolicyArgs(ttl="86400s")',
        ),
        headline="refused, 11 changes would lose data",
        refused={("update", f"bus-{each}-subscription") for each in SUBSCRIPTIONS},
        pending="a subscription goes with its backlog after an idle day, and is not even named",
    ),
    _edit(
        "delete-images-by-a-policy",
        (
            "registry.py",
            'tag_state="UNTAGGED", older_than="2592000s"',
            'tag_state="ANY", older_than="86400s"',
        ),
        headline="refused, 1 change would lose data",
        refused={("update", "registry-repository")},
        pending="images are deleted by the policy, and it is not even named",
    ),
    _edit(
        "delete-the-database-with-its-entry",
        ("database.py", 'deletion_policy="ABANDON"', 'deletion_policy="DELETE"'),
        headline="loses no data, but 1 change is less safe",
        says=("deletionPolicy",),
        pending="the deletion policy is not named",
    ),
    _edit(
        "leave-the-backups-out",
        (
            "instance_settings.py",
            "backup_configuration=None if is_replica else _backups(settings)",
            "backup_configuration=None",
        ),
        headline="the preview failed",
    ),
    _edit(
        "stop-the-instance",
        ("instance_settings.py", 'activation_policy="ALWAYS"', 'activation_policy="NEVER"'),
        headline="stops ",
        pending=_SILENT,
    ),
    _edit(
        "let-the-disk-fill-up",
        ("instance_settings.py", "disk_autoresize=True", "disk_autoresize=False"),
        headline="stops ",
        pending=_SILENT,
    ),
    _edit(
        "shorten-the-retention-of-dead-letters",
        ("bus/topics.py", '"2678400s"', '"604800s"'),
        headline="refused, 5 changes would lose data",
        refused={("update", f"bus-{each}-subscription") for each in DEAD_LETTERS},
        pending="a shorter retention drops what is older, and is only named",
    ),
    Edit(
        name="raise-an-error-that-looks-like-markdown",
        base="prod-unprotected",
        program=(Patch("stack.py", "settings = Settings.parse(CONFIG.get())", _RAISE),),
        headline="the preview failed",
    ),
    _edit(
        "take-the-grants-of-dead-letters-away",
        ("bus/event_bus.py", "self._agent.may_take_dead_letters(name, made)", "pass"),
        headline="stops ",
        pending=_SILENT,
    ),
    _edit(
        "let-apis-be-disabled",
        ("project_services.py", "disable_on_destroy=False", "disable_on_destroy=True"),
        headline="loses no data, but 10 changes are less safe",
        pending="that APIs would be disabled from then on is not said",
    ),
    _edit(
        "rename-the-accounts",
        ("container.py", 'account_id=f"{args.prefix}-{role}"', 'account_id=f"{args.prefix}-{role}s"'),
        headline="refused, 2 changes could not be taken back",
        refused={("replace", "event-store-account"), ("replace", "migrations-account")},
        pending="the migrator's account is made anew and no longer owns the tables",
    ),
    _edit(
        "give-up-on-dead-letters",
        (
            "bus/event_bus.py",
            _DEAD_LETTER_POLICY,
            "",
        ),
        headline="stops ",
        pending=_SILENT,
    ),
    _edit(
        "create-topics-before-deleting-them",
        ("bus/topics.py", "pulumi.ResourceOptions(delete_before_replace=True)", "pulumi.ResourceOptions()"),
        headline="no change",
    ),
    _edit(
        "no-longer-enable-an-api",
        ("project_services.py", '    "servicenetworking",\n', ""),
        headline="loses no data",
    ),
)
