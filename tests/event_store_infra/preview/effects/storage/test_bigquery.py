"""What the changes of datasets and tables do, one way and back."""

import json
from typing import Any

import pytest

from event_store_infra.preview.effects.effect import Severity
from event_store_infra.preview.effects.storage.bigquery import DATASET, TABLE
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.plan.plan import Plan
from tests.event_store_infra.preview.effects.judged import (
    LATER,
    LESS_SAFE,
    LOSES,
    STOPS,
    must_say,
    must_say_nothing,
)
from tests.event_store_infra.preview.effects.properties import properties_of

ANN, BOB = ({"userByEmail": f"{name}@a.example", "role": "READER"} for name in ("ann", "bob"))
VIEW = {"view": {"projectId": "p", "datasetId": "d", "tableId": "v"}}
Case = tuple[str, str, object, object, Severity, str]


def _schema(*columns: str | dict[str, Any]) -> str:
    given = [each if isinstance(each, dict) else {"name": each, "type": "STRING"} for each in columns]
    return json.dumps(given)


HIDDEN = {"name": "email", "type": "STRING", "policyTags": {"names": ["secret"]}}
MASKED = {"name": "email", "type": "STRING", "dataPolicies": [{"name": "mask"}]}
NESTED = {"name": "who", "type": "RECORD", "fields": [{"name": "email", "type": "STRING"}]}
ONE_WAY: list[Case] = [
    (DATASET, "defaultEncryptionConfiguration", {"kmsKeyName": "k"}, None, LESS_SAFE, "or with Google's"),
    (DATASET, "defaultPartitionExpirationMs", None, 3600000, LESS_SAFE, "of tables to come"),
    (DATASET, "defaultTableExpirationMs", 7200000, 3600000, LESS_SAFE, "of tables to come"),
    (DATASET, "deleteContentsOnDestroy", None, True, LESS_SAFE, "deletes its tables, too"),
    (DATASET, "deletionPolicy", "PREVENT", None, LESS_SAFE, "a deletion in the program"),
    (DATASET, "externalCatalogDatasetOptions", {"parameters": {"a": "b"}}, None, STOPS, "another engine"),
    (DATASET, "isCaseInsensitive", True, None, STOPS, "in other letters"),
    (DATASET, "maxTimeTravelHours", None, "48", LOSES, "further back than the new number of hours"),
    (DATASET, "maxTimeTravelHours", "168", "48", LOSES, "further back than the new number of hours"),
    (TABLE, "deletionPolicy", "ABANDON", "DELETE", LESS_SAFE, "a deletion in the program"),
    (TABLE, "deletionProtection", None, False, LESS_SAFE, "no longer refuses to delete it"),
    (TABLE, "expirationTime", None, 1893456000000, LOSES, "all its rows at that time"),
    (TABLE, "expirationTime", 1893456000000, 1893455000000, LOSES, "all its rows at that time"),
    (TABLE, "externalCatalogTableOptions.storageDescriptor.locationUri", "gs://a", None, STOPS, "engine"),
    (TABLE, "materializedView.enableRefresh", None, False, STOPS, "to follow its tables"),
    (TABLE, "requirePartitionFilter", None, True, STOPS, "without a filter by partitions"),
    (TABLE, "timePartitioning.requirePartitionFilter", False, True, STOPS, "without a filter by partitions"),
    (
        TABLE,
        "schema",
        _schema("id", "name", "data"),
        _schema("id"),
        LOSES,
        "the values of `name`, `data`, of every row",
    ),
    (TABLE, "schema", _schema(NESTED), _schema({**NESTED, "fields": []}), LOSES, "`who.email`"),
    (TABLE, "schema", _schema(HIDDEN), _schema("email"), LESS_SAFE, "that a policy hid"),
    (TABLE, "schema", _schema(MASKED), _schema("email"), LESS_SAFE, "that a policy hid"),
    (TABLE, "tableConstraints.primaryKey.columns", ["id"], None, STOPS, "changes of rows by their key"),
    (TABLE, "timePartitioning.expirationMs", None, "86400000", LOSES, "the rows of every partition older"),
    (TABLE, "timePartitioning.expirationMs", "172800000", "86400000", LOSES, "the rows of every partition"),
]
EACH_WAY: list[Case] = [
    (DATASET, "accesses", [ANN, BOB], [ANN], STOPS, "`bob@a.example`, without the access"),
    (DATASET, "accesses", [ANN, VIEW], [ANN], STOPS, '"tableId": "v"'),
    (DATASET, "accesses", [ANN], [ANN, BOB], LESS_SAFE, "`bob@a.example` may use its tables"),
    (DATASET, "accesses", [ANN], [BOB], STOPS, "`ann@a.example`, without the access"),
    (DATASET, "accesses", None, [ANN], LOSES, "every access that it does not name"),
    (DATASET, "accesses", [ANN], [ANN, {"iamMember": LATER}], STOPS, "somebody"),
    (DATASET, "defaultEncryptionConfiguration.kmsKeyName", "k", "l", LESS_SAFE, "or with Google's"),
    (TABLE, "schema", _schema("id"), LATER, LOSES, "if the other schema lacks one"),
    (TABLE, "schema", _schema("id", "name"), _schema("id", "title"), LOSES, "`name`"),
    (
        TABLE,
        "externalDataConfiguration.sourceUris",
        ["gs://a"],
        ["gs://b"],
        STOPS,
        "how it was read until now",
    ),
    (
        *(TABLE, "externalDataConfiguration.bigtableOptions.columnFamilies[0].familyId", "a", "b"),
        *(STOPS, "how it was read until now"),
    ),
]
NOTHING = [
    (DATASET, "accesses", [ANN, BOB], [BOB, ANN]),
    (DATASET, "accesses", [ANN], None),
    (DATASET, "maxTimeTravelHours", None, "168"),
    (DATASET, "description", "a", "b"),
    (TABLE, "schema", _schema("id"), _schema("id", "name")),
    (TABLE, "schema", _schema("id", "name"), _schema("name", "id")),
    (TABLE, "schema", None, _schema("id")),
    (TABLE, "view.query", "SELECT 1", "SELECT 2"),
]


@pytest.mark.parametrize("case", ONE_WAY, ids=lambda case: f"{case[0]} {case[1]}")
def test_a_change_and_back(case: Case) -> None:
    """It says what the change does, and nothing of the way back."""
    kind, path, old, new, severity, words = case
    must_say(kind, (path, old, new, severity, words))
    must_say_nothing(kind, path, new, old)


@pytest.mark.parametrize("case", EACH_WAY, ids=lambda case: f"{case[0]} {case[1]}")
def test_a_change(case: Case) -> None:
    """It says what the change does."""
    must_say(case[0], case[1:])


@pytest.mark.parametrize(("kind", "path", "old", "new"), NOTHING)
def test_a_harmless_change(kind: str, path: str, old: object, new: object) -> None:
    """Nothing is said of it."""
    must_say_nothing(kind, path, old, new)


@pytest.mark.parametrize("kind", [DATASET, TABLE])
def test_each_property_of_a_catalog_is_read_by_other_engines(kind: str) -> None:
    """Another value stops them, and the first one nobody."""
    for path in properties_of(kind):
        if path.startswith("externalCatalog"):
            must_say(kind, (path, "a", "b", STOPS, "by another engine"))
            must_say_nothing(kind, path, None, "a")


def test_each_property_of_external_data_says_how_it_is_read() -> None:
    """Any other value may stop a query."""
    paths = [each for each in properties_of(TABLE) if each.startswith("externalDataConfiguration.")]
    for path in {*paths} - {"externalDataConfiguration.schema"}:
        for new in ("b", None):
            must_say(TABLE, (path, "a", new, STOPS, "how it was read until now"))


@pytest.mark.parametrize(
    ("inputs", "lost"),
    [
        ({}, True),
        ({"view": {"query": "SELECT 1"}}, False),
        ({"materializedView": {"query": "SELECT 1"}}, False),
        ({"externalDataConfiguration": {"sourceUris": ["gs://a"]}}, False),
    ],
)
def test_only_the_end_of_what_holds_rows_loses_them(inputs: dict[str, Any], *, lost: bool) -> None:
    """A view and an external table hold none: their end stops whoever queries them."""
    step = {
        "op": "delete",
        "urn": f"urn:pulumi:prod::event-store::{TABLE}::rows",
        "oldState": {"custom": True, "type": TABLE, "id": "rows", "inputs": inputs},
    }
    verdict = judge(Plan.parse(json.dumps({"steps": [step], "changeSummary": {"delete": 1}})))

    assert bool(verdict.refused) is lost
    assert bool(verdict.notes) is not lost
