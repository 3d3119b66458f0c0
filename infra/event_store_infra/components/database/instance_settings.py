"""The settings of a Cloud SQL instance, primary or read replica."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import sql

from event_store_infra.settings import DatabaseSettings
from event_store_infra.settings.database.quiet_period import as_google_has_it


def instance_settings(
    settings: DatabaseSettings,
    *,
    project: str,
    network_id: pulumi.Input[str],
    protected: bool,
    labels: Mapping[str, str],
    is_replica: bool = False,
) -> sql.DatabaseInstanceSettingsArgs:
    """Return the settings of an instance.

    Args:
        settings: What the stack says.
        project: The id of the project, which endpoints are made from.
        network_id: The VPC that it is reached from.
        protected: Whether Google refuses to delete it, unless it is a replica, and keeps its backups.
        labels: Its user labels.
        is_replica: Whether it follows another one: it has neither backups nor a standby of its own, and its
            maintenance comes with the other's.
    """
    flags = settings.flags_of_replica if is_replica else settings.primary_flags
    return sql.DatabaseInstanceSettingsArgs(
        tier=settings.tier_of_replica if is_replica else settings.tier,
        edition=settings.edition,
        availability_type="ZONAL" if is_replica else settings.availability,
        activation_policy="ALWAYS",
        pricing_plan="PER_USE",
        disk_type="PD_SSD",
        disk_size=settings.disk_size_gb,
        disk_autoresize=True,
        disk_autoresize_limit=settings.disk_limit_gb,
        deletion_protection_enabled=protected and not is_replica,
        retain_backups_on_delete=protected and not is_replica,
        connector_enforcement="NOT_REQUIRED",
        ip_configuration=_addresses(settings, project, network_id),
        database_flags=[
            sql.DatabaseInstanceSettingsDatabaseFlagArgs(name=flag, value=value)
            for flag, value in sorted({"cloudsql.iam_authentication": "on", **flags}.items())
        ],
        deny_maintenance_period=None if is_replica else _quiet_period(settings),
        backup_configuration=None if is_replica else _backups(settings),
        insights_config=sql.DatabaseInstanceSettingsInsightsConfigArgs(
            query_insights_enabled=True,
            query_plans_per_minute=5,
            query_string_length=1024,
            record_application_tags=False,
            record_client_address=False,
        ),
        maintenance_window=(
            None
            if is_replica
            else sql.DatabaseInstanceSettingsMaintenanceWindowArgs(
                day=settings.maintenance_day, hour=settings.maintenance_hour, update_track="stable"
            )
        ),
        user_labels=labels,
    )


def _addresses(
    settings: DatabaseSettings, project: str, network_id: pulumi.Input[str]
) -> sql.DatabaseInstanceSettingsIpConfigurationArgs:
    by_endpoint = settings.private_service_connect
    consumers = sql.DatabaseInstanceSettingsIpConfigurationPscConfigArgs(
        psc_enabled=True, allowed_consumer_projects=[project]
    )
    return sql.DatabaseInstanceSettingsIpConfigurationArgs(
        ipv4_enabled=False,
        private_network=None if by_endpoint else network_id,
        psc_configs=[consumers] if by_endpoint else None,
        ssl_mode="ENCRYPTED_ONLY",
        server_ca_mode="GOOGLE_MANAGED_INTERNAL_CA",
    )


def _quiet_period(
    settings: DatabaseSettings,
) -> sql.DatabaseInstanceSettingsDenyMaintenancePeriodArgs | None:
    if not settings.deny_maintenance_start:
        return None
    return sql.DatabaseInstanceSettingsDenyMaintenancePeriodArgs(
        start_date=as_google_has_it(settings.deny_maintenance_start),
        end_date=as_google_has_it(settings.deny_maintenance_end),
        time="00:00:00",
    )


def _backups(settings: DatabaseSettings) -> sql.DatabaseInstanceSettingsBackupConfigurationArgs:
    return sql.DatabaseInstanceSettingsBackupConfigurationArgs(
        enabled=settings.backups,
        start_time=settings.backup_start_time,
        point_in_time_recovery_enabled=settings.point_in_time_recovery,
        transaction_log_retention_days=settings.log_retention_days,
        backup_retention_settings=sql.DatabaseInstanceSettingsBackupConfigurationBackupRetentionSettingsArgs(
            retained_backups=settings.retained_backups, retention_unit="COUNT"
        ),
    )
