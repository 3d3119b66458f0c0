"""Edits of staging with a key of its own: the generations of its instance, before and after a restore."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.bases import KEYS
from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit

_CLONE: Final = {"instance": "event-store-1", "time": "2026-01-31T08:00:00Z"}
_SECOND: Final = {"database.generation": 2, "database.kept_generations": [1]}
_THIRD: Final = {"database.generation": 3, "database.kept_generations": [1, 2]}
_STAYS_THERE: Final = ("it stays in its instance",)

_KEY_S_GRANT_GOES: Final = ("delete", "database-key-security.europe-west1.events.log")


def _edit(name: str, config: dict[str, Any], **expected: Any) -> Edit:
    return Edit(name=name, base="staging", config=config, **expected)


def _of_restored(name: str, config: dict[str, Any], **expected: Any) -> Edit:
    return Edit(name=name, base="restored", config=config, **expected)


EDITS: Final = (
    _edit(
        "restore-with-another-key",
        {**_SECOND, "database.restore_from": _CLONE, "database.kms_key": f"{KEYS}/other"},
        headline="the preview failed",
        says=("earlier_kms_keys lacks the key of generation",),
    ),
    _edit(
        "restore-with-another-key-beside-the-earlier-one",
        {
            **_SECOND,
            "database.restore_from": _CLONE,
            "database.kms_key": f"{KEYS}/other",
            "database.earlier_kms_keys": [f"{KEYS}/log"],
        },
        headline="the preview failed",
        says=("a clone keeps the key of event-store-1",),
    ),
    _edit(
        "restore-without-a-key",
        {**_SECOND, "database.restore_from": _CLONE, "database.kms_key": None},
        headline="the preview failed",
        says=("earlier_kms_keys lacks the key of generation",),
    ),
    _edit(
        "take-the-database-s-key-away",
        {"database.kms_key": None},
        headline="refused, 3 changes would lose data",
        refused={
            ("replace", "database-instance"),
            ("replace", "database-database"),
            _KEY_S_GRANT_GOES,
        },
    ),
    _edit(
        "give-the-database-another-key",
        {"database.kms_key": f"{KEYS}/other"},
        headline="refused, 3 changes would lose data",
        refused={
            ("replace", "database-instance"),
            ("replace", "database-database"),
            _KEY_S_GRANT_GOES,
        },
    ),
    _edit("upgrade-the-database", {"database.version": "POSTGRES_18"}, headline="loses no data"),
    _edit(
        "downgrade-the-database",
        {"database.version": "POSTGRES_16"},
        headline="refused, Google would not make",
        says=("never goes back",),
    ),
    _edit(
        "relay-in-the-service-again",
        {"service.relay": "service"},
        headline="loses no data",
        says=("the service relays from now on",),
    ),
    _edit(
        "restore-staging",
        {**_SECOND, "database.restore_from": _CLONE},
        headline="loses no data",
        says=_STAYS_THERE,
        omits=("loses the log",),
    ),
    _edit(
        "begin-an-empty-generation-of-staging",
        _SECOND,
        headline="refused, 1 change would lose data",
        refused={("create", "database-2-instance")},
        says=("empty",),
    ),
    _of_restored(
        "remove-a-kept-instance",
        {"database.kept_generations": []},
        headline="refused, 1 change would lose data",
        refused={("delete", "database-instance")},
    ),
    _of_restored(
        "forget-what-was-restored",
        {"database.restore_from": None},
        flags=("--show-sames",),
        headline="refused, Google would not make 1 of its changes",
        says=("its instance was made as a copy of another one", "`event-store:database.restore_from`"),
    ),
    _of_restored(
        "begin-an-empty-generation-after-a-restore",
        {**_THIRD, "database.restore_from": None},
        headline="refused, 1 change would lose data",
        refused={("create", "database-3-instance")},
        says=("empty",),
    ),
    _of_restored(
        "restore-once-more",
        {**_THIRD, "database.restore_from": {**_CLONE, "instance": "event-store-2"}},
        headline="loses no data",
        omits=("loses the log",),
    ),
    _of_restored(
        "restore-once-more-what-no-longer-serves",
        {**_THIRD, "database.restore_from": _CLONE},
        headline="refused, 1 change would lose data",
        refused={("create", "database-3-instance")},
        says=("`event-store-2` serves now, and the new instance begins as a copy of `event-store-1`",),
    ),
    _of_restored(
        "restore-once-more-with-another-key",
        {
            **_THIRD,
            "database.restore_from": {**_CLONE, "instance": "event-store-2"},
            "database.kms_key": f"{KEYS}/other",
        },
        headline="the preview failed",
        says=("earlier_kms_keys lacks the key of generation",),
    ),
    _of_restored(
        "go-back-to-the-first-generation",
        {"database.generation": 1, "database.kept_generations": [], "database.restore_from": None},
        headline="refused, ",
        refused={
            ("delete", "database-2-instance"),
            ("update template.containers.envs.PGHOST", "event-store-service"),
        },
        says=("another one's events are published",),
    ),
    _of_restored(
        "change-the-time-of-a-restore-that-was",
        {"database.restore_from.time": "2026-01-31T09:00:00Z"},
        headline="no change",
    ),
    _of_restored("label-a-restored-stack", {"labels.team": "words"}, **HARMLESS),
)
