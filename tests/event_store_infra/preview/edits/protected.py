"""Edits of a stack whose data the engine protects: it stops at the first protected resource that would go."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import Edit


def _edit(name: str, **what: Any) -> Edit:
    return Edit(name=name, base="prod", **what)


EDITS: Final = (
    _edit(
        "remove-a-subscription-of-a-protected-stack",
        topology={"subscriptions.progress-reader": None},
        headline="refused, ",
        refused={
            ("delete", "bus-progress-reader-subscription"),
            ("delete", "bus-progress-reader-dead-letter-subscription"),
        },
        says=("may not be all",),
    ),
    _edit(
        "remove-a-topic-of-a-protected-stack",
        topology={"topics.progress-events": None, "subscriptions.progress-reader": None, "routes.1": None},
        headline="refused, ",
        refused={
            ("delete", "bus-progress-reader-subscription"),
            ("delete", "bus-progress-reader-dead-letter-subscription"),
        },
        says=("may not be all",),
    ),
    _edit(
        "unprotect-and-remove-a-subscription-at-once",
        config={"protected": False},
        topology={"subscriptions.progress-reader": None},
        headline="refused, ",
        refused={
            ("delete", "bus-progress-reader-subscription"),
            ("delete", "bus-progress-reader-dead-letter-subscription"),
        },
        says=("may not be all", "first unprotect what is *protected* above, then paste this"),
    ),
    _edit(
        "unprotect-and-begin-a-generation-at-once",
        config={"protected": False, "database.generation": 2},
        headline="refused, ",
        refused={
            ("delete", "database-database"),
            ("delete", "database-instance"),
            ("delete", "database-replica"),
            ("create", "database-2-instance"),
        },
        says=("may not be all",),
        omits=("which stays",),
    ),
    _edit(
        "remove-the-replica-of-a-protected-stack",
        config={"database.read_replica": False},
        headline="loses no data",
        says=("a read replica holds nothing of its own",),
    ),
    _edit(
        "unprotect-a-stack",
        config={"protected": False},
        headline="loses no data, but ",
        says=("bus-progress-reader-subscription", "bus-vocabulary-events", "database-instance"),
    ),
    _edit(
        "filter-a-subscription-of-a-protected-stack",
        topology={"subscriptions.progress-reader.filter": 'attributes.event_type = "Done"'},
        headline="refused, 1 change would lose data",
        refused={("replace", "bus-progress-reader-subscription")},
        says=("another `generation`",),
    ),
    _edit(
        "acknowledge-one-of-two-that-a-protected-stack-loses",
        topology={"subscriptions.progress-reader": None},
        acknowledged={"pubsub.Subscription bus-progress-reader-subscription": "delete"},
        headline="refused, ",
        refused={("delete", "bus-progress-reader-dead-letter-subscription")},
        says=("may not be all",),
    ),
)
