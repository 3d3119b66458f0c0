"""Edits that something of the stack's file acknowledges, or seems to."""

from typing import Final

from tests.event_store_infra.preview.edits.edit import Edit

_READER: Final = "pubsub.Subscription bus-progress-reader-subscription"
_FILTERED: Final = {"subscriptions.progress-reader.filter": 'attributes.event_type = "Done"'}
_TOPIC_AND_SUBSCRIPTION: Final = {
    "topics.vocabulary-projection-subscription": None,
    "subscriptions.vocabulary-projection": None,
}
_BOTH: Final = ("delete", "bus-vocabulary-projection-subscription")
_LETTERS: Final = {
    ("delete", "bus-vocabulary-projection-dead-letter-subscription"),
    ("delete", "bus-vocabulary-projection-dead-letter"),
}

EDITS: Final = (
    Edit(
        name="acknowledge-a-name-that-two-kinds-have",
        base="prod-unprotected",
        topology=_TOPIC_AND_SUBSCRIPTION,
        acknowledged={"bus-vocabulary-projection-subscription": "delete"},
        headline="refused, 4 changes would lose data",
        refused={_BOTH, *_LETTERS},
        says=("names no kind of resource",),
    ),
    Edit(
        name="acknowledge-one-of-two-kinds-of-a-name",
        base="prod-unprotected",
        topology=_TOPIC_AND_SUBSCRIPTION,
        acknowledged={"pubsub.Subscription bus-vocabulary-projection-subscription": "delete"},
        headline="refused, 3 changes would lose data",
        refused={_BOTH, *_LETTERS},
        says=("    pubsub.Topic bus-vocabulary-projection-subscription: delete",),
    ),
    Edit(
        name="acknowledge-another-deed",
        base="prod-unprotected",
        topology=_FILTERED,
        acknowledged={_READER: "delete"},
        headline="refused, 1 change would lose data",
        refused={("replace", "bus-progress-reader-subscription")},
        says=("says `delete`, but the plan would `replace`",),
    ),
    Edit(
        name="leave-an-acknowledgement-beside-another-edit",
        base="prod-unprotected",
        topology={"subscriptions.progress-reader.ackDeadlineSeconds": 120},
        acknowledged={_READER: "replace"},
        headline="loses no data",
        says=("matches nothing",),
    ),
    Edit(
        name="leave-an-acknowledgement",
        base="prod-unprotected",
        acknowledged={_READER: "replace"},
        headline="no change",
        says=("matches nothing",),
    ),
    Edit(
        name="acknowledge-one-of-three",
        base="prod-unprotected",
        topology={"subscriptions.progress-reader": None},
        acknowledged={_READER: "delete"},
        headline="refused, 2 changes would lose data",
        refused={
            ("delete", "bus-progress-reader-dead-letter-subscription"),
            ("delete", "bus-progress-reader-dead-letter"),
        },
    ),
    Edit(
        name="acknowledge-all-of-it",
        base="prod-unprotected",
        topology=_FILTERED,
        acknowledged={_READER: "replace"},
        headline="loses data, as acknowledged",
        omits=("matches nothing",),
    ),
)
