"""Cloud SQL: instances, databases and users, on real PostgreSQL."""

from pathlib import Path
from typing import Final

from psycopg import sql

from local_gcp.postgres import sql_rules as limits
from local_gcp.postgres.refusals import (
    refuse_another_way,
    refuse_earlier_version,
    refuse_smaller_replicas,
)
from local_gcp.postgres.server.instances import ADMINISTRATORS, Instances
from local_gcp.postgres.server.roles import drop_user, make_user
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place, digits, private_address
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record

_API: Final = "https://sqladmin.googleapis.com/sql/v1beta4"
_AGENTS: Final = "gcp-sa-cloud-sql.iam.gserviceaccount.com"
# A public certificate without a purpose of its own: PostgreSQL on this machine has no TLS. Google gives each
# instance an authority of its own, so each has its name above it, where PEM allows a text.
_SERVER_CA: Final = Path(__file__).with_name("server_ca.pem")


def instance_outputs(draft: Draft) -> Properties:
    """Return the outputs that Google computes for an instance."""
    there = draft.place.of(draft.inputs)
    by_endpoint = "pscConfigs" in draft.inputs["settings"].get("ipConfiguration", {})
    address = "" if by_endpoint else private_address(draft.id)
    attachment = (
        f"projects/{digits(there.project, 8)}-tp/regions/{there.region}/serviceAttachments/{draft.id}"
    )
    return {
        "project": there.project,
        "region": there.region,
        "connectionName": f"{there.project}:{there.region}:{draft.id}",
        "privateIpAddress": address,
        "firstIpAddress": address,
        "publicIpAddress": "",
        "ipAddresses": [{"type": "PRIVATE", "ipAddress": address, "timeToRetire": ""}] if address else [],
        "pscServiceAttachmentLink": attachment if by_endpoint else "",
        "instanceType": "CLOUD_SQL_INSTANCE",
        "selfLink": f"{_API}/projects/{there.project}/instances/{draft.id}",
        "serviceAccountEmailAddress": f"p{there.number}-{digits(draft.id, 6)}@{_AGENTS}",
        "serverCaCerts": [
            {
                "cert": f"{draft.id}\n{_SERVER_CA.read_text()}",
                "commonName": "C=US,O=Google\\, Inc,CN=Google Cloud SQL Server CA",
            }
        ],
        **draft.inputs,
    }


class InstanceKind(Kind):
    """A Cloud SQL instance. Deleting it keeps its data for the next instance of the same name."""

    limits = limits.INSTANCE

    def __init__(self, instances: Instances) -> None:
        self._instances = instances
        self._standing: dict[str, Properties] = {}

    def identify(self, inputs: Properties, _place: Place) -> str:
        """Return the instance's name."""
        return str(inputs["name"])

    async def create(self, draft: Draft) -> Properties:
        """Start the instance; a clone begins with its source's current data, ignoring any point in time.

        A replica begins with its primary's current data, and then follows the primary.
        """
        self._refuse_unequal(draft)
        if primary := draft.inputs.get("masterInstanceName"):
            await self._instances.copy(primary, draft.id, follows=True)
        if clone := draft.inputs.get("clone"):
            await self._instances.copy(clone["sourceInstanceName"], draft.id)
        return await self._start(draft)

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Restart the instance if its flags have changed; size and availability have no effect here.

        Raises:
            CloudError: Google rejects this change in place.
        """
        refuse_earlier_version(record.inputs, draft.inputs)
        refuse_another_way(record.inputs, draft.inputs)
        self._refuse_unequal(draft)
        return await self._start(draft)

    async def delete(self, record: Record) -> None:
        """Stop the instance."""
        await self._instances.stop(record.id)
        self._standing.pop(record.id, None)

    async def restore(self, record: Record) -> None:
        """Restart the instance."""
        await self._instances.start(record.id, self._settings(record.inputs))
        self._standing[record.id] = record.inputs

    async def _start(self, draft: Draft) -> Properties:
        await self._instances.start(draft.id, self._settings(draft.inputs))
        self._standing[draft.id] = draft.inputs
        return instance_outputs(draft)

    def _refuse_unequal(self, draft: Draft) -> None:
        """Reject a change that would make a primary larger than a replica."""
        master = draft.inputs.get("masterInstanceName")
        if master in self._standing:
            refuse_smaller_replicas(self._standing[master], [draft.inputs])
        replicas = [each for each in self._standing.values() if each.get("masterInstanceName") == draft.id]
        refuse_smaller_replicas(draft.inputs, replicas)

    def _settings(self, inputs: Properties) -> dict[str, str]:
        """Return PostgreSQL's settings: the flags, and for a replica the primary's current address."""
        primary = inputs.get("masterInstanceName")
        found = {"primary_conninfo": self._instances.conninfo(primary, None, "postgres")} if primary else {}
        return {**_flags(inputs), **found}


class DatabaseKind(Kind):
    """A database, owned by Cloud SQL's administrators."""

    limits = limits.DATABASE

    def __init__(self, instances: Instances) -> None:
        self._instances = instances

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return the database's full name."""
        return (
            f"projects/{place.of(inputs).project}/instances/{inputs['instance']}/databases/{inputs['name']}"
        )

    async def create(self, draft: Draft) -> Properties:
        """Create the database, or adopt one left by an earlier instance of the same name."""
        instance, name = draft.inputs["instance"], draft.inputs["name"]
        owned = {"name": sql.Identifier(name), "owner": sql.Identifier(ADMINISTRATORS)}
        question = sql.SQL("SELECT 1 FROM pg_database WHERE datname = {}").format(sql.Literal(name))
        statement = "ALTER DATABASE {name} OWNER TO {owner}"
        if not await self._instances.query(instance, question):
            statement = "CREATE DATABASE {name} OWNER {owner}"
        await self._instances.execute(instance, sql.SQL(statement).format(**owned))
        return {
            "project": draft.place.of(draft.inputs).project,
            "charset": "UTF8",
            "collation": "en_US.UTF8",
            "selfLink": f"{_API}/{draft.id}",
            **draft.inputs,
        }

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Set the owner again; no other property can change."""
        return await self.create(draft)

    async def delete(self, record: Record) -> None:
        """Drop the database; fails while anybody is connected."""
        name = sql.Identifier(record.inputs["name"])
        await self._instances.execute(
            record.inputs["instance"], sql.SQL("DROP DATABASE IF EXISTS {}").format(name)
        )


class UserKind(Kind):
    """A login role."""

    limits = limits.USER

    def __init__(self, instances: Instances) -> None:
        self._instances = instances

    def identify(self, inputs: Properties, _place: Place) -> str:
        """Return the provider's id: name, host (none) and instance."""
        return f"{inputs['name']}//{inputs['instance']}"

    async def create(self, draft: Draft) -> Properties:
        """Create the role, or adopt one left by an earlier instance of the same name; set its memberships.

        Raises:
            CloudError: A database role does not exist.
        """
        inputs = draft.inputs
        built_in = _is_built_in(inputs)
        await make_user(
            self._instances,
            inputs["instance"],
            inputs["name"],
            database_roles(inputs),
            rights="CREATEROLE CREATEDB" if built_in else "NOCREATEROLE NOCREATEDB",
            password=inputs.get("password", self._instances.password_of(inputs["name"])),
        )
        return {"project": draft.place.of(inputs).project, "host": "", "iamEmail": "", **inputs}

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Set the password, and replace the memberships by the new list."""
        return await self.create(draft)

    async def delete(self, record: Record) -> None:
        """Drop the role; fails while it owns anything."""
        await drop_user(self._instances, record.inputs["instance"], record.inputs["name"])


def database_roles(inputs: Properties) -> list[str]:
    """Return a user's roles; by default a built-in user is an administrator."""
    roles: list[str] = inputs.get("databaseRoles", [ADMINISTRATORS] if _is_built_in(inputs) else [])
    return roles


def _is_built_in(inputs: Properties) -> bool:
    return bool(inputs.get("type", "BUILT_IN") == "BUILT_IN")


def _flags(inputs: Properties) -> dict[str, str]:
    """Return the flags that PostgreSQL itself supports."""
    flags = inputs["settings"].get("databaseFlags", [])
    return {each["name"]: each["value"] for each in flags if not each["name"].startswith("cloudsql.")}
