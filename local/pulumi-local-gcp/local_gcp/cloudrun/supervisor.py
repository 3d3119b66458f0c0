"""How a container runs on this machine: as a process, with the environment that the cloud would give it."""

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from event_store.environment import DATABASE_LOGIN, REPLICA_HOST, REPLICA_PORT
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


class Running:
    """A container that runs, and the metadata server that goes with it."""

    def __init__(self, child: Child, stack: AsyncExitStack) -> None:
        self.child = child
        self._stack = stack

    async def stop(self) -> None:
        """End both. Stopping twice is harmless."""
        await self._stack.aclose()


class Runner:
    """Starts containers.

    Args:
        processes: Who owns them.
        bus: The Pub/Sub that they reach.
        instances: The databases that they reach.
        records: Where the databases' addresses stand.
        directory: Where they run: the repository.
        home: An empty directory, so that no developer's credentials are theirs.
        tokens: Their access tokens.
        rights: Judges whether they may log in to a database.

    Attributes:
        programs: Where a container's command is looked for first: what its image would hold.
        subnetworks: The ids of those that a container was given an address in.
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
            name: Names its log.
            template: Its service account and containers, in Cloud Run's words.
            place: Its project and region.
            given: Variables that Cloud Run sets by itself.

        Raises:
            CloudError: There is no such command here, a variable comes from where there is nothing, or the
                account may not log in to the database.
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
            login = email if environment.get(DATABASE_LOGIN) == "iam" else ""
            environment |= await self._database(environment.get("PGHOST", ""), login)
            if replica := await self._database(environment.get(REPLICA_HOST, ""), login):
                environment |= {REPLICA_HOST: replica["PGHOST"], REPLICA_PORT: replica["PGPORT"]}
            child = await self._processes.start(name, command, environment, self._directory)
            stack.push_async_callback(self._processes.stop, child)
            running = Running(child, stack.pop_all())
        return running  # noqa: RET504 # not inside the context, which for all that a type checker knows goes on

    async def _database(self, address: str, login: str) -> dict[str, str]:
        """Translate an instance's address in the network to where it listens on this machine.

        Who logs in by IAM is judged now and not by PostgreSQL, which trusts this machine.
        https://docs.cloud.google.com/sql/docs/postgres/iam-authentication, and
        https://docs.cloud.google.com/alloydb/docs/database-users/manage-iam-auth
        """
        targets = {
            rule.inputs["target"]
            for rule in self._records.of_type(network.FORWARDING_RULE.type)
            if rule.inputs["ipAddress"] == address
        }
        for record in self._records.of_type(sql_rules.INSTANCE.type):
            outputs = record.outputs
            if outputs["privateIpAddress"] == address or outputs.get("pscServiceAttachmentLink") in targets:
                self._admit(
                    login, "cloudsql.instances.login", f"projects/{outputs['project']}/instances/{record.id}"
                )
                return await self._instances.variables(record.id)
        for record in self._records.of_type(alloydb_rules.INSTANCE.type):
            if record.outputs["ipAddress"] == address and record.inputs["instanceType"] == "PRIMARY":
                self._admit(login, "alloydb.users.login", str(record.inputs["cluster"]))
                return await self._instances.variables(server_of(record.inputs["cluster"]))
        return {}

    def _admit(self, login: str, permission: str, resource: str) -> None:
        if login:
            self._rights.check(service_account(login), permission, resource)


def _command(container: Properties, programs: Path) -> list[str]:
    words = [*container.get("commands", []), *container.get("args", [])]
    if not container.get("commands"):
        raise CloudError(
            f"the container of {container['image']} has no commands: "
            "the local Google Cloud runs no images, so it cannot know their entry point"
        )
    program = shutil.which(words[0], path=f"{programs}{os.pathsep}{os.defpath}")
    if program is None:
        raise CloudError(f"the container's command {words[0]!r} is not in {programs}: run `make setup`")
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
