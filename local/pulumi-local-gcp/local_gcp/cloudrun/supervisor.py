"""Runs a container on this machine: as a process, with the environment that Cloud Run would give it."""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from local_gcp.container.metadata_server import MetadataServer
from local_gcp.postgres import alloydb_rules, sql_rules
from local_gcp.postgres.alloydb import server_of
from local_gcp.postgres.server.instances import Instances
from local_gcp.pubsub_api.broker import Broker
from local_gcp.recorded import network
from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Records
from local_gcp.rights.callers import Tokens, service_account
from local_gcp.rights.rights import Rights
from local_gcp.system.child_process import Child, Processes

_BIN: Final = Path(sys.executable).parent
# The ends of the names of variables that belong together, as in libpq's PGHOST, PGPORT and PGUSER.
_HOST, _PORT, _USER = "HOST", "PORT", "USER"


class Running:
    """A running container and its metadata server."""

    def __init__(self, child: Child, stack: AsyncExitStack) -> None:
        self.child = child
        self._stack = stack

    async def stop(self) -> None:
        """Stop the container and its metadata server. Stopping twice is harmless."""
        await self._stack.aclose()


@dataclass(frozen=True, slots=True)
class _Database:
    """The server behind a database address, and the permission and resource of a login by IAM."""

    server: str
    permission: str
    resource: str


class Runner:
    """Starts containers.

    Args:
        processes: Owns the child processes.
        bus: The Pub/Sub that the containers reach.
        instances: The databases that the containers reach.
        records: Hold the databases' addresses.
        directory: The containers' working directory: the folder of the Pulumi program.
        home: An empty home directory, so that containers never find a developer's credentials.
        tokens: Issues the containers' access tokens.
        rights: Judges whether an account may log in to a database.

    Attributes:
        programs: The first directory searched for a container's command, in place of its image.
        subnetworks: The ids of all subnetworks in which a container was given an address.
    """

    def __init__(
        self,
        *,
        processes: Processes,
        bus: Broker,
        instances: Instances,
        records: Records,
        directory: Path,
        home: Path,
        tokens: Tokens,
        rights: Rights,
    ) -> None:
        self.programs = _BIN
        self.subnetworks: set[str] = set()
        self._processes = processes
        self._bus = bus
        self._instances = instances
        self._records = records
        self._directory = directory
        self._home = home
        self._tokens = tokens
        self._rights = rights

    async def start(self, name: str, template: Properties, place: Place, given: Mapping[str, str]) -> Running:
        """Start the first container of a template.

        Args:
            name: The name of the container's log.
            template: Its service account and containers, in Cloud Run's words.
            place: Its project and region.
            given: Variables that Cloud Run sets by itself.

        Raises:
            CloudError: The command is not found, a variable refers to a secret, the variable of a database's
                address has a wrong name, or the account may not log in to the database.
        """
        container = template["containers"][0]
        command = _command(container, self.programs)
        for interface in template.get("vpcAccess", {}).get("networkInterfaces", []):
            self.subnetworks.add(interface.get("subnetwork", ""))
        email = template.get("serviceAccount", f"{place.number}-compute@developer.gserviceaccount.com")
        async with AsyncExitStack() as stack:
            metadata = await stack.enter_async_context(
                MetadataServer(place, email, self._tokens.of_account(email))
            )
            environment = {
                "PATH": f"{self.programs}{os.pathsep}{os.defpath}",
                "HOME": str(self._home),
                "CLOUDSDK_CONFIG": str(self._home),
                "LANG": "C.UTF-8",
                "PYTHONUNBUFFERED": "1",
                "PUBSUB_EMULATOR_HOST": self._bus.address,
                "GOOGLE_CLOUD_PROJECT": place.project,
                **metadata.variables,
                **given,
                **_variables(container),
            }
            environment |= await self._databases(environment, email)
            child = await self._processes.start(name, command, environment, self._directory)
            stack.push_async_callback(self._processes.stop, child)
            running = Running(child, stack.pop_all())
        return running  # noqa: RET504 # not inside the context, which for all that a type checker knows goes on

    async def _databases(self, environment: Mapping[str, str], email: str) -> dict[str, str]:
        """Return the variables that lead to databases, translated to their addresses on this machine.

        A variable whose name ends in HOST may hold an address. The variables of the same prefix that end in
        PORT and USER hold its port and user. The default user is libpq's.

        Raises:
            CloudError: An address is in another variable, or the account may not log in.
        """
        found: dict[str, str] = {}
        databases = dict(self._listening())
        for name, value in environment.items():
            beginning = name.removesuffix(_HOST)
            if name != beginning and value in databases:
                database = databases[value]
                user = environment.get(f"{beginning}{_USER}", environment.get("PGUSER"))
                # An account's name in PostgreSQL. PostgreSQL trusts this machine, so the login is judged now.
                # https://docs.cloud.google.com/sql/docs/postgres/iam-authentication, and
                # https://docs.cloud.google.com/alloydb/docs/database-users/manage-iam-auth
                if user == email.removesuffix(".gserviceaccount.com"):
                    self._rights.check(service_account(email), database.permission, database.resource)
                here = await self._instances.variables(database.server)
                own = {name: here["PGHOST"], f"{beginning}{_PORT}": here["PGPORT"]}
                found |= here if name == "PGHOST" else own
            elif any(re.search(rf"(?<![\d.]){re.escape(each)}(?![\d.])", value) for each in databases):
                raise CloudError(
                    f"variable {name} holds the address of a database, which is another one on this machine: "
                    f"give the address alone, in a variable whose name ends in {_HOST}, and the port in one "
                    f"that ends in {_PORT}"
                )
        return found

    def _listening(self) -> Iterator[tuple[str, _Database]]:
        """Yield each database address of the network, with the database behind it."""
        rules = list(self._records.of_type(network.FORWARDING_RULE.type))
        for record in self._records.of_type(sql_rules.INSTANCE.type):
            outputs = record.outputs
            resource = f"projects/{outputs['project']}/instances/{record.id}"
            database = _Database(record.id, "cloudsql.instances.login", resource)
            attachment = outputs.get("pscServiceAttachmentLink")
            endpoints = [
                rule.inputs["ipAddress"] for rule in rules if rule.inputs.get("target") == attachment
            ]
            socket = f"/cloudsql/{outputs['connectionName']}"
            for address in filter(None, (outputs["privateIpAddress"], socket, *endpoints)):
                yield address, database
        for record in self._records.of_type(alloydb_rules.INSTANCE.type):
            if record.inputs["instanceType"] == "PRIMARY":
                cluster = str(record.inputs["cluster"])
                yield (
                    record.outputs["ipAddress"],
                    _Database(server_of(cluster), "alloydb.users.login", cluster),
                )


def _command(container: Properties, programs: Path) -> list[str]:
    words = [*container.get("commands", []), *container.get("args", [])]
    if not container.get("commands"):
        raise CloudError(
            f"the container of {container['image']} has no commands: "
            "the local Google Cloud runs no images, so it cannot know their entry point"
        )
    program = shutil.which(words[0], path=f"{programs}{os.pathsep}{os.defpath}")
    if program is None:
        raise CloudError(f"the container's command {words[0]!r} is not in {programs} or on PATH")
    return [program, *words[1:]]


def _variables(container: Properties) -> dict[str, str]:
    found: dict[str, Any] = {}
    for each in container.get("envs", []):
        if "valueSource" in each:
            raise CloudError(
                f"variable {each['name']} comes from a secret, and the local Google Cloud has none: "
                "add them to local_gcp/recorded and to local_gcp/cloudrun/supervisor.py"
            )
        found[each["name"]] = each.get("value", "")
    return found
