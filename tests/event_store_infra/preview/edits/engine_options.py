"""Edits by options of the engine: aliases, parents, providers, imports, and what is kept or ignored."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import DEAD_LETTERS, SUBSCRIPTIONS, TOPICS
from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_READER: Final = "subscriptions.progress-reader"
_TOPIC_OPTIONS: Final = "pulumi.ResourceOptions(delete_before_replace=True)"
_TOPICS_AND_NEEDED: Final = '"opts": pulumi.ResourceOptions.merge(self._opts, needed),'
_IGNORED: Final = "ignore_changes=list(IMMUTABLE) if is_kept else None"
_MADE_AS: Final = "            opts=opts,\n        )\n        self._agent.may_take_dead_letters"
_INSTANCE_OPTIONS: Final = "pulumi.ResourceOptions(ignore_changes=ignore_changes)"
_OF_THE_BUS: Final = "            keeps_push_identity=True,\n        ),\n        enabled,"
_OTHER_PROVIDER: Final = _OF_THE_BUS.replace(
    "enabled,",
    "pulumi.ResourceOptions(\n"
    "            depends_on=[services],\n"
    '            provider=__import__("pulumi_gcp").Provider("other", project="event-store-other"),\n'
    "        ),",
)
_LIVE: Final = tuple(each for each in SUBSCRIPTIONS if each != "second" and each not in DEAD_LETTERS)
_BUS_ELSEWHERE: Final = {
    *(("delete", f"bus-{each}") for each in (*TOPICS, *DEAD_LETTERS)),
    *(("delete", f"bus-{each}-subscription") for each in DEAD_LETTERS),
    *(("replace", f"bus-{each}-subscription") for each in _LIVE),
}


def _edit(name: str, *patches: tuple[str, str, str], **what: Any) -> Edit:
    program = tuple(Patch(file, old, new) for file, old, new in patches)
    return Edit(name=name, program=program, **{"base": "prod-unprotected", **what})


EDITS: Final = (
    _edit(
        "retain-topics-and-remove-one-at-once",
        (
            "components/bus/topics.py",
            _TOPIC_OPTIONS,
            "pulumi.ResourceOptions(delete_before_replace=True, retain_on_delete=True)",
        ),
        topology={"topics.progress-events": None, _READER: None, "routes.1": None},
        headline="refused, 4 changes would lose data",
        refused={
            ("delete", "bus-progress-events"),
            ("delete", "bus-progress-reader-subscription"),
            ("delete", "bus-progress-reader-dead-letter-subscription"),
            ("delete", "bus-progress-reader-dead-letter"),
        },
        omits=("stays in Google Cloud",),
    ),
    _edit(
        "give-a-subscription-s-place-to-another",
        (
            "components/bus/event_bus.py",
            _MADE_AS,
            _MADE_AS.replace(
                "opts=opts",
                "opts=pulumi.ResourceOptions.merge(\n"
                "                opts,\n"
                "                pulumi.ResourceOptions(\n"
                '                    aliases=[pulumi.Alias(name="bus-progress-reader-subscription")]\n'
                '                    if name == "progress-log"\n'
                "                    else None\n"
                "                ),\n"
                "            )",
            ),
        ),
        topology={f"{_READER}.name": "progress-log"},
        headline="refused, 3 changes would lose data",
        refused={
            ("replace", "bus-progress-log-subscription"),
            ("delete", "bus-progress-reader-dead-letter-subscription"),
            ("delete", "bus-progress-reader-dead-letter"),
        },
    ),
    _edit(
        "rename-the-instance-in-the-program-by-an-alias",
        ("components/database/database.py", 'f"{name}-instance"', 'f"{name}-main"'),
        (
            "components/database/database.py",
            _INSTANCE_OPTIONS,
            (
                "pulumi.ResourceOptions(\n"
                "            ignore_changes=ignore_changes,\n"
                '            aliases=[pulumi.Alias(name=f"{name}-instance")],\n'
                "        )"
            ),
        ),
        headline="no change",
    ),
    _edit(
        "rename-the-bus-s-type-in-the-program-by-an-alias",
        (
            "components/bus/event_bus.py",
            '"event-store:infra:EventBus", name, None, opts)',
            (
                '"event-store:infra:Bus", name, None, pulumi.ResourceOptions.merge(opts, '
                'pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="event-store:infra:EventBus")])))'
            ),
        ),
        headline="no change",
    ),
    _edit(
        "take-topics-out-of-the-bus",
        (
            "components/bus/event_bus.py",
            "Topics(name, args.project, args.labels, self._agent, self._child)",
            "Topics(name, args.project, args.labels, self._agent, pulumi.ResourceOptions())",
        ),
        headline="refused, ",
        refused=_BUS_ELSEWHERE,
        says=("alias",),
    ),
    _edit(
        "ignore-a-retention-that-is-shortened",
        ("components/bus/event_bus.py", _IGNORED, 'ignore_changes=["messageRetentionDuration"]'),
        topology={f"{_READER}.messageRetentionDuration": "1d"},
        headline="no change",
    ),
    _edit(
        "ignore-nothing-of-a-kept-generation",
        ("components/bus/event_bus.py", _IGNORED, "ignore_changes=None"),
        topology={
            "subscriptions.second.eventTypes": ["WordRemoved"],
            "subscriptions.second.generation": 3,
            "subscriptions.second.keptGenerations": [1, 2],
        },
        headline="refused, 2 changes would lose data",
        refused={("replace", "bus-second-subscription"), ("replace", "bus-second-g2-subscription")},
    ),
    _edit(
        "replace-topics-by-their-labels",
        (
            "components/bus/topics.py",
            _TOPIC_OPTIONS,
            'pulumi.ResourceOptions(delete_before_replace=True, replace_on_changes=["labels"])',
        ),
        topology={"topics.progress-events.labels": {"team": "words"}},
        headline="refused, 2 changes would lose data",
        refused={("replace", "bus-progress-events"), ("replace", "bus-progress-reader-subscription")},
        says=("labels",),
    ),
    _edit(
        "delete-subscriptions-with-their-topic",
        (
            "components/bus/event_bus.py",
            _MADE_AS,
            _MADE_AS.replace(
                "opts=opts",
                "opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(deleted_with=topic))",
            ),
        ),
        headline="no change",
    ),
    _edit(
        "make-the-bus-by-another-provider",
        ("stack.py", _OF_THE_BUS, _OTHER_PROVIDER),
        headline="no change",
    ),
    _edit(
        "protect-nothing-in-the-program",
        (
            "stack.py",
            "    if settings.protected:\n        guarded = ",
            "    if False:\n        guarded = ",
        ),
        base="prod",
        headline="loses no data, but 23 changes are less safe",
        says=("Pulumi no longer refuses to delete it", "database-instance"),
    ),
    _edit(
        "import-one-topic-in-the-place-of-another",
        (
            "components/bus/topics.py",
            _TOPICS_AND_NEEDED,
            (
                '"opts": pulumi.ResourceOptions.merge(\n'
                "                self._opts,\n"
                "                pulumi.ResourceOptions(\n"
                "                    depends_on=grants,\n"
                '                    import_="projects/event-store-prod/topics/vocabulary-events"\n'
                '                    if topic.name == "progress-events"\n'
                "                    else None,\n"
                "                ),\n"
                "            ),"
            ),
        ),
        headline="refused, 6 changes of 4 resources would lose data",
        refused={
            # Each of the two twice: what was there, and what was imported by a name that is not its own.
            ("replace", "bus-progress-events"),
            ("replace", "bus-progress-reader-dead-letter"),
            ("replace", "bus-progress-reader-dead-letter-subscription"),
            ("replace", "bus-progress-reader-subscription"),
        },
        says=(
            "because the program imports `projects/event-store-prod/topics/vocabulary-events` in its place",
        ),
        omits=("the engine says so",),
    ),
    _edit(
        "replace-the-instance-by-its-labels",
        (
            "components/database/database.py",
            _INSTANCE_OPTIONS,
            (
                "pulumi.ResourceOptions(\n"
                '            ignore_changes=ignore_changes, replace_on_changes=["settings.userLabels"]\n'
                "        )"
            ),
        ),
        config={"labels.team": "words"},
        headline="refused, ",
        refused={("replace", "database-instance")},
        says=("settings.userLabels",),
    ),
    _edit(
        "ignore-no-clone-that-was",
        (
            "components/database/database.py",
            'ignore_changes = ["settings.diskSize", "clone", *ignored]',
            'ignore_changes = ["settings.diskSize", *ignored]',
        ),
        base="restored",
        config={"database.restore_from": None},
        headline="refused, Google would not make 1 of its changes",
    ),
    _edit(
        "join-another-stack-s-instance",
        base="dev",
        stack="dev-2",
        config={"database.instance": "event-store-1"},
        headline="compared with nothing",
    ),
    _edit(
        "export-no-address-of-the-service",
        ("stack.py", "        service_uri=event_store.uri,\n", ""),
        headline="no change",
    ),
    _edit(
        "delete-instances-before-they-are-replaced",
        (
            "components/database/database.py",
            _INSTANCE_OPTIONS,
            "pulumi.ResourceOptions(ignore_changes=ignore_changes, delete_before_replace=True)",
        ),
        **{**HARMLESS, "headline": "no change"},
    ),
)
