"""BigQuery: datasets and tables, into which a subscription may write what it gets."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from event_store_infra.preview.effects.deletion import DELETION_POLICY
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Effects, less_safe, loses, stops
from event_store_infra.preview.effects.rules import (
    begins,
    changes,
    ends,
    falls,
    harmless,
    has_later,
    moves,
    same,
)
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import Step

DATASET: Final = "gcp:bigquery/dataset:Dataset"
TABLE: Final = "gcp:bigquery/table:Table"
_DOCS: Final = "https://docs.cloud.google.com/bigquery/docs"
_KEYS: Final = f"{_DOCS}/customer-managed-encryption"
_ACCESS: Final = f"{_DOCS}/control-access-to-resources-iam"
_WHO: Final = (
    "iamMember",
    "userByEmail",
    "groupByEmail",
    "domain",
    "specialGroup",
    "view",
    "routine",
    "dataset",
)
# What holds no rows itself, by what its inputs have.
_ROWLESS: Final = ("view", "materializedView", "externalDataConfiguration")


def _accesses(old: Any, new: Any) -> Effect:
    """Judge the list of all who have access: what it does not name has none."""
    if not new:
        return HARMLESS  # as it stands: nobody's is taken
    if not old:
        return loses(
            "every access that it does not name, of people, of other stacks and of Google's own agents",
            "grant by one `bigquery.DatasetIamMember` for each member, which leaves the others alone.",
            "https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/bigquery_dataset",
        )
    before, after = ([each for each in value if isinstance(each, Mapping)] for value in (old, new))
    if gone := [each for each in before if each not in after] or ([{}] if has_later(new) else []):
        return stops(f"{_named(gone)}, without the access to the tables that goes", _ACCESS)
    if come := [each for each in after if each not in before]:
        return less_safe(f"{_named(come)} may use its tables", _ACCESS)
    return HARMLESS


def _named(accesses: list[Any]) -> str:
    who = [next((each[name] for name in _WHO if each.get(name)), "somebody") for each in accesses]
    return ", ".join(
        code(each if isinstance(each, str) else json.dumps(each, sort_keys=True)) for each in who
    )


def _schema(old: Any, new: Any) -> Effect:
    """Judge columns: the provider drops in place what the other schema lacks, with its values."""
    unsure = loses(
        "columns, if the other schema lacks one that is there",
        "keep them.",
        f"{_DOCS}/managing-table-schemas",
    )
    if not old or not new:
        return HARMLESS  # as it stands
    try:
        before, after = ({**dict(_columns(json.loads(each) or []))} for each in (old, new))
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
    ):  # no schema, or one that only the update can tell
        return unsure
    if gone := [name for name in before if name not in after]:
        return loses(
            f"the values of {', '.join(map(code, gone))}, of every row",
            "keep the column, or copy the table first.",
            f"{_DOCS}/managing-table-schemas#delete_a_column",
        )
    if any(before[name] - after[name] for name in before):
        return less_safe(
            "whoever reads the table also sees columns that a policy hid", f"{_DOCS}/column-level-security"
        )
    return HARMLESS


def _columns(fields: Any, above: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each column by its path, with the policies that hide it."""
    for each in fields:
        name = f"{above}{each['name']}"
        tags = (each.get("policyTags") or {}).get("names") or []
        yield (
            name,
            frozenset(
                [*tags, *(json.dumps(policy, sort_keys=True) for policy in each.get("dataPolicies") or [])]
            ),
        )
        yield from _columns(each.get("fields") or [], f"{name}.")


def _end_of_a_table(step: Step) -> Effect:
    if any(step.old.get(each) for each in _ROWLESS):
        return stops("whoever queries the view; the rows stay where it reads them", f"{_DOCS}/managing-views")
    return loses(
        "all its rows",
        "make another table beside it, and copy the rows.",
        f"{_DOCS}/managing-tables",
        "copy the rows.",
    )


_ENGINES: Final = moves(stops("whoever reads the tables by another engine", f"{_DOCS}/open-source-catalogs"))
_READ: Final = changes(
    stops("whoever queries the table and counts on how it was read until now", f"{_DOCS}/external-tables")
)
_FILTERED: Final = begins(
    stops("whoever queries the table without a filter by partitions", f"{_DOCS}/querying-partitioned-tables")
)

_DATASET: Final = Effects(
    gone=loses(
        "all its tables",
        "make another dataset beside it, and copy the tables.",
        f"{_DOCS}/managing-datasets",
        "copy the tables.",
    ),
    properties={
        # Another value of these is another dataset, which is judged as the end of this one.
        **harmless("datasetId", "location", "project"),
        **harmless("connection", "externalSource", at="externalDatasetReference"),
        **harmless("description", "friendlyName", "labels", "resourceTags", "storageBillingModel"),
        **harmless("defaultCollation"),  # of tables to come
        # As a list.
        **harmless(
            *("condition.description", "condition.expression", "condition.location", "condition.title"),
            *("dataset.dataset.datasetId", "dataset.dataset.projectId", "dataset.targetTypes", "domain"),
            *("groupByEmail", "iamMember", "role", "routine.datasetId", "routine.projectId"),
            *("routine.routineId", "specialGroup", "userByEmail", "view.datasetId", "view.projectId"),
            "view.tableId",
            at="accesses",
        ),
        "defaultEncryptionConfiguration.kmsKeyName": moves(
            less_safe("tables to come are encrypted with another key, or with Google's", _KEYS)
        ),
        # Tables that are there keep theirs.
        **same(
            falls(
                less_safe("rows of tables to come are deleted after that time", f"{_DOCS}/updating-datasets"),
                unset=None,
            ),
            *("defaultPartitionExpirationMs", "defaultTableExpirationMs"),
        ),
        "deleteContentsOnDestroy": begins(
            less_safe("a deletion of the dataset deletes its tables, too", f"{_DOCS}/managing-datasets")
        ),
        **DELETION_POLICY,
        **same(_ENGINES, "defaultStorageLocationUri", "parameters", at="externalCatalogDatasetOptions"),
        "isCaseInsensitive": ends(
            stops("whoever writes the name of a table in other letters", f"{_DOCS}/updating-datasets")
        ),
        "maxTimeTravelHours": falls(
            loses(
                "what changed or deleted rows were before, further back than the new number of hours",
                "keep the number.",
                f"{_DOCS}/time-travel",
            ),
            unset=168,
        ),
    },
    blocks={"accesses": _accesses},
)
_TABLE: Final = Effects(
    gone=_end_of_a_table,
    properties={
        # Another value of these is another table, which is judged as the end of this one.
        **harmless("datasetId", "project", "tableId", "externalDataConfiguration.schema"),
        **harmless("connectionId", "fileFormat", "storageUri", "tableFormat", at="biglakeConfiguration"),
        **harmless("kmsKeyName", "kmsKeyVersion", at="encryptionConfiguration"),
        **harmless("materializedView.allowNonIncrementalDefinition", "materializedView.query"),
        **harmless("field", "range.end", "range.interval", "range.start", at="rangePartitioning"),
        **harmless("schemaForeignTypeInfo.typeSystem", "timePartitioning.field", "timePartitioning.type"),
        **harmless(
            *("replicationIntervalMs", "sourceDatasetId", "sourceProjectId", "sourceTableId"),
            at="tableReplicationInfo",
        ),
        **harmless("clusterings", "description", "friendlyName", "labels", "maxStaleness", "resourceTags"),
        # How the provider looks at it.
        **harmless("ignoreAutoGeneratedSchema", "ignoreSchemaChanges", "tableMetadataView"),
        # A view is what its query says, and holds no rows.
        **harmless("view.query", "view.useLegacySql"),
        **DELETION_POLICY,
        "deletionProtection": ends(
            less_safe("the provider no longer refuses to delete it", f"{_DOCS}/managing-tables"), unset=True
        ),
        "expirationTime": falls(
            loses("all its rows at that time", "let it not expire.", f"{_DOCS}/managing-tables"), unset=None
        ),
        **same(
            _ENGINES,
            *("connectionId", "parameters", "storageDescriptor.inputFormat", "storageDescriptor.locationUri"),
            *("storageDescriptor.outputFormat", "storageDescriptor.serdeInfo.name"),
            *("storageDescriptor.serdeInfo.parameters", "storageDescriptor.serdeInfo.serializationLibrary"),
            at="externalCatalogTableOptions",
        ),
        **same(
            _READ,
            *("autodetect", "avroOptions.useAvroLogicalTypes", "compression", "connectionId"),
            *("csvOptions.allowJaggedRows", "csvOptions.allowQuotedNewlines", "csvOptions.encoding"),
            *("csvOptions.fieldDelimiter", "csvOptions.quote", "csvOptions.skipLeadingRows"),
            *("csvOptions.sourceColumnMatch", "decimalTargetTypes", "fileSetSpecType"),
            *("googleSheetsOptions.range", "googleSheetsOptions.skipLeadingRows"),
            *("hivePartitioningOptions.mode", "hivePartitioningOptions.requirePartitionFilter"),
            *("hivePartitioningOptions.sourceUriPrefix", "ignoreUnknownValues", "jsonExtension"),
            *("jsonOptions.encoding", "maxBadRecords", "metadataCacheMode", "objectMetadata"),
            *("parquetOptions.enableListInference", "parquetOptions.enumAsString", "referenceFileSchemaUri"),
            *("sourceFormat", "sourceUris"),
            at="externalDataConfiguration",
        ),
        **same(
            _READ,
            *("ignoreUnspecifiedColumnFamilies", "outputColumnFamiliesAsJson", "readRowkeyAsString"),
            *("columnFamilies.encoding", "columnFamilies.familyId", "columnFamilies.onlyReadLatest"),
            *("columnFamilies.type", "columnFamilies.columns.encoding", "columnFamilies.columns.fieldName"),
            *("columnFamilies.columns.onlyReadLatest", "columnFamilies.columns.qualifierEncoded"),
            *("columnFamilies.columns.qualifierString", "columnFamilies.columns.type"),
            at="externalDataConfiguration.bigtableOptions",
        ),
        "materializedView.enableRefresh": ends(
            stops("whoever counts on the view to follow its tables", f"{_DOCS}/materialized-views-manage"),
            unset=True,
        ),
        **harmless("materializedView.refreshIntervalMs"),
        **same(_FILTERED, "requirePartitionFilter", "timePartitioning.requirePartitionFilter"),
        "schema": _schema,
        # Google does not check a foreign key, but applies a change by a primary one:
        **harmless(
            *("columnReferences.referencedColumn", "columnReferences.referencingColumn", "name"),
            *("referencedTable.datasetId", "referencedTable.projectId", "referencedTable.tableId"),
            at="tableConstraints.foreignKeys",
        ),
        "tableConstraints.primaryKey.columns": moves(
            stops("whoever writes changes of rows by their key", f"{_DOCS}/change-data-capture")
        ),
        "timePartitioning.expirationMs": falls(
            loses(
                "the rows of every partition older than the new time",
                "copy them first, or keep the time.",
                f"{_DOCS}/managing-partitioned-tables",
            ),
            unset=None,
        ),
    },
)

TABLES: Final[Mapping[str, Effects]] = {DATASET: _DATASET, TABLE: _TABLE}
