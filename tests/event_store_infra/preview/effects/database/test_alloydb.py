"""What each change of AlloyDB does: a cluster, its instances, a login, a backup."""

import pytest

from event_store_infra.preview.effects.database.alloydb import BACKUP, CLUSTER, NODE, USER
from event_store_infra.preview.effects.effect import HARMLESS, Severity
from event_store_infra.preview.judging.guard import judge
from tests.event_store_infra.preview.effects.changed import changed
from tests.event_store_infra.preview.effects.judged import told_of
from tests.event_store_infra.preview.effects.rows import Row, check, check_back, without_a_row

LOSES, CUTS_OFF, STOPS, LESS_SAFE = (
    Severity.LOSES,
    Severity.CUTS_OFF,
    Severity.STOPS,
    Severity.LESS_SAFE,
)
POLICY = "automatedBackupPolicy"
LOGS = "continuousBackupConfig"
PSC = "pscInstanceConfig"
AUTO = f"{PSC}.pscAutoConnections[0]"
TLS = "clientConnectionConfig.sslConfig.sslMode"
OPEN, ENCRYPTED = "ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED_ONLY"
NETWORKS = "networkConfig.authorizedExternalNetworks"

CLUSTER_ROWS = [
    Row(f"{POLICY}.enabled", True, False, LOSES, "no backup is made any more"),
    Row(f"{POLICY}.enabled", True, None, LOSES, "no backup is made any more"),
    Row(f"{POLICY}.quantityBasedRetention.count", 14, 1, LOSES, "beyond the new retention"),
    Row(f"{POLICY}.quantityBasedRetention.count", 30, None, LOSES, "beyond the new retention"),
    Row(f"{POLICY}.quantityBasedRetention.count", None, 30, LOSES, "beyond the new retention"),
    Row(f"{POLICY}.timeBasedRetention.retentionPeriod", "3456000s", "86400s", LOSES, "the new retention"),
    Row(f"{POLICY}.timeBasedRetention.retentionPeriod", None, "86400s", LOSES, "the new retention"),
    Row(f"{POLICY}.timeBasedRetention.retentionPeriod", "86400s", None, LOSES, "the new retention"),
    Row(f"{POLICY}.weeklySchedule.daysOfWeeks", ["MONDAY", "FRIDAY"], ["MONDAY"], LESS_SAFE, "fewer days"),
    Row(f"{POLICY}.backupWindow", None, "600s", LESS_SAFE, "given up"),
    Row(f"{POLICY}.encryptionConfig.kmsKeyName", "a", "b", LESS_SAFE, "another key"),
    Row(f"{POLICY}.encryptionConfig.kmsKeyName", "b", "a", LESS_SAFE, "another key"),
    Row(f"{POLICY}.encryptionConfig.kmsKeyName", "a", None, LESS_SAFE, "another key"),
    Row(f"{LOGS}.enabled", True, False, LOSES, "every point in time"),
    Row(f"{LOGS}.enabled", None, False, LOSES, "every point in time"),
    Row(f"{LOGS}.recoveryWindowDays", 14, 1, LOSES, "the days beyond"),
    Row(f"{LOGS}.recoveryWindowDays", None, 13, LOSES, "the days beyond"),
    Row(f"{LOGS}.recoveryWindowDays", 35, None, LOSES, "the days beyond"),
    Row(f"{LOGS}.encryptionConfig.kmsKeyName", "a", None, LESS_SAFE, "another key"),
    Row("deletionProtection", True, False, LESS_SAFE, "the provider no longer refuses"),
    Row("deletionProtection", None, False, LESS_SAFE, "the provider no longer refuses"),
    Row("deletionPolicy", "PREVENT", "DEFAULT", LESS_SAFE, "it is deleted, or lost"),
    Row("deletionPolicy", "ABANDON", None, LESS_SAFE, "it is deleted, or lost"),
    Row("deletionPolicy", "PREVENT", "ABANDON", LESS_SAFE, "it is deleted, or lost"),
    Row("deletionPolicy", "DEFAULT", "FORCE", LESS_SAFE, "takes its instances"),
    Row("clusterType", "SECONDARY", "PRIMARY", CUTS_OFF, "from its primary"),
    Row("clusterType", "PRIMARY", "SECONDARY", STOPS, "whoever appends"),
    Row("clusterType", None, "SECONDARY", STOPS, "whoever appends"),
    Row("clusterType", "SECONDARY", None, CUTS_OFF, "from its primary"),
    Row("subscriptionType", "STANDARD", "TRIAL", LESS_SAFE, "a trial ends"),
    Row("skipAwaitMajorVersionUpgrade", False, None, LESS_SAFE, "does not wait"),
    Row("networkConfig.network", "a", "b", STOPS, "by its private address"),
    Row("networkConfig.network", "b", "a", STOPS, "by its private address"),
    Row("networkConfig.network", "a", None, STOPS, "by its private address"),
]
NODE_ROWS = [
    Row("activationPolicy", "ALWAYS", "NEVER", STOPS, "it is switched off"),
    Row("activationPolicy", None, "NEVER", STOPS, "it is switched off"),
    Row("availabilityType", "REGIONAL", "ZONAL", LESS_SAFE, "no standby"),
    Row("availabilityType", None, "ZONAL", LESS_SAFE, "no standby"),
    Row("readPoolConfig.nodeCount", 2, 1, LESS_SAFE, "one node"),
    Row("deletionPolicy", "PREVENT", "DELETE", LESS_SAFE, "a deletion in the program"),
    Row("databaseFlags", {"alloydb.iam_authentication": "on"}, {}, STOPS, "every login by IAM"),
    Row("databaseFlags", {"alloydb.iam_authentication": "on"}, None, STOPS, "every login by IAM"),
    Row("databaseFlags", {"alloydb.logical_decoding": "on"}, {}, STOPS, "logical decoding"),
    Row("databaseFlags", {}, {"autovacuum": "off"}, LESS_SAFE, "dead rows"),
    Row("clientConnectionConfig.requireConnectors", False, True, STOPS, "connects directly"),
    Row("clientConnectionConfig.requireConnectors", True, False, LESS_SAFE, "without Google's connectors"),
    Row(TLS, ENCRYPTED, OPEN, LESS_SAFE, "asks less"),
    Row(TLS, None, OPEN, LESS_SAFE, "asks less"),
    Row(TLS, OPEN, ENCRYPTED, STOPS, "without TLS"),
    Row(TLS, OPEN, None, STOPS, "without TLS"),
    Row("connectionPoolConfig.enabled", True, False, STOPS, "the pooler"),
    Row("networkConfig.enablePublicIp", True, None, STOPS, "by its public address"),
    Row("networkConfig.enablePublicIp", None, True, LESS_SAFE, "in the public internet"),
    Row("networkConfig.enableOutboundPublicIp", True, False, STOPS, "its own connections"),
    Row("networkConfig.enableOutboundPublicIp", False, True, LESS_SAFE, "reaches the public internet"),
    Row(NETWORKS, [{"cidrRange": "10.0.0.0/8"}], [], STOPS, "the networks `10.0.0.0/8`"),
    Row(NETWORKS, [], [{"cidrRange": "10.0.0.0/8"}], LESS_SAFE, "networks `10.0.0.0/8` may connect"),
    Row(f"{PSC}.allowedConsumerProjects", ["1", "2"], ["1"], STOPS, "the projects `2`"),
    Row(f"{PSC}.allowedConsumerProjects", ["1"], ["1", "2"], LESS_SAFE, "the projects `2` may connect"),
    Row(f"{AUTO}.consumerNetwork", "a", None, STOPS, "in that network"),
    Row(f"{AUTO}.consumerProject", "a", None, STOPS, "in that network"),
    Row(f"{PSC}.pscInterfaceConfigs[0].networkAttachmentResource", "a", None, STOPS, "to the outside"),
]
USER_ROWS = [
    Row("deletionPolicy", "PREVENT", None, LESS_SAFE, "a deletion in the program"),
    Row("databaseRoles", ["a", "b"], ["b"], STOPS, "a right of the role"),
    Row("password", "a", "b", STOPS, "with the former password"),
    Row("password", "b", "a", STOPS, "with the former password"),
    Row("password", None, "a", STOPS, "with the former password"),
    Row("passwordWoVersion", "1", "2", STOPS, "with the former password"),
    Row("passwordWoVersion", "2", "1", STOPS, "with the former password"),
]
BACKUP_ROWS = [Row("deletionPolicy", "PREVENT", "DELETE", LESS_SAFE, "a deletion in the program")]
ROWS = {CLUSTER: CLUSTER_ROWS, NODE: NODE_ROWS, USER: USER_ROWS, BACKUP: BACKUP_ROWS}
EACH = [pytest.param(kind, row, id=str(row)) for kind, rows in ROWS.items() for row in rows]


@pytest.mark.parametrize(("kind", "row"), EACH)
def test_each_change_says_what_it_does(kind: str, row: Row) -> None:
    """There, with a value that is known later only, and back, which is harmless unless it has a row."""
    check(kind, row)
    check_back(kind, row, ROWS[kind])


@pytest.mark.parametrize("kind", ROWS)
def test_no_line_of_the_table_is_without_a_row(kind: str) -> None:
    """Whatever a table says of a property, a row above says, too."""
    assert without_a_row(kind, ROWS[kind]) == []


@pytest.mark.parametrize(
    ("block", "whole", "lost"),
    [
        (POLICY, {"enabled": True, "quantityBasedRetention": {"count": 30}}, ["enabled", "count"]),
        (LOGS, {"recoveryWindowDays": 35}, ["recoveryWindowDays"]),
    ],
)
def test_a_block_that_is_removed_loses_all_that_it_had(
    block: str, whole: dict[str, object], lost: list[str]
) -> None:
    """The policies of backups as a whole, each property by its name."""
    (finding,) = judge(changed(CLUSTER, block, whole, None)).refused

    assert [each.change.path.rpartition(".")[2] for each in finding.told] == lost


def test_days_in_another_order_are_the_same_days() -> None:
    """No day fewer, nothing less safe."""
    days = ["MONDAY", "FRIDAY"]

    assert told_of(CLUSTER, f"{POLICY}.weeklySchedule.daysOfWeeks", days, days[::-1]) == HARMLESS
