"""Edits of the topology."""

from typing import Final

from tests.preview.edits.edit import Edit

EDITS: Final = (
    Edit(
        name="remove-a-subscription",
        base="prod-unprotected",
        topology={"subscriptions.progress-reader": None},
        headline="refused, 3 changes would lose data",
        refused={
            ("delete", "bus-progress-reader-subscription"),
            ("delete", "bus-progress-reader-dead-letter-subscription"),
            ("delete", "bus-progress-reader-dead-letter"),
        },
        says=("its backlog",),
    ),
    Edit(
        name="lengthen-an-ack-deadline",
        base="prod-unprotected",
        topology={"subscriptions.vocabulary-projection.ackDeadlineSeconds": 120},
        headline="loses no data",
    ),
    Edit(
        name="shorten-a-subscription-s-retention",
        base="prod-unprotected",
        topology={"subscriptions.progress-reader.messageRetentionDuration": "1d"},
        headline="refused, 1 change would lose data",
        refused={("update", "bus-progress-reader-subscription")},
        pending="a shorter retention drops what is older, and is only named",
    ),
    Edit(
        name="remove-a-subscription-of-a-protected-stack",
        base="prod",
        topology={"subscriptions.progress-reader": None},
        headline="refused, ",
        refused={
            ("delete", "bus-progress-reader-subscription"),
            ("delete", "bus-progress-reader-dead-letter-subscription"),
        },
    ),
    Edit(
        name="change-a-filter-of-a-protected-stack",
        base="prod",
        topology={"subscriptions.progress-reader.filter": 'attributes.event_type = "Done"'},
        headline="refused, 1 change would lose data",
        refused={("replace", "bus-progress-reader-subscription")},
        says=("another `generation`",),
    ),
)
