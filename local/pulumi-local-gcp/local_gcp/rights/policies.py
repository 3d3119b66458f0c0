"""IAM policies, read from the grants that are recorded in the local Google Cloud."""

from collections.abc import Iterator
from dataclasses import dataclass

from local_gcp.recorded import iam
from local_gcp.resource.place import Place
from local_gcp.resource.records import Records
from local_gcp.rights.resources import GRANTED_ON, lineage, project_of
from local_gcp.rights.roles import SERVICE_AGENTS, permissions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A role granted to a member on a resource and everything below it.

    Attributes:
        role: Its name.
        member: The member, as in `serviceAccount:NAME@PROJECT.iam.gserviceaccount.com`.
        resource: The resource's full name.
        condition: The condition in the Common Expression Language; empty for none.
    """

    role: str
    member: str
    resource: str
    condition: str = ""


class Policies:
    """The policies of all resources.

    Args:
        records: The recorded resources.
    """

    def __init__(self, records: Records) -> None:
        self._records = records

    def on(self, resource: str) -> Iterator[Binding]:
        """Yield all bindings that apply to a resource, including those of its parents."""
        chain = frozenset(lineage(resource))
        for record in self._records:
            granted_on = GRANTED_ON.get(record.type)
            if granted_on is None:
                continue
            inputs = record.inputs
            on = granted_on(inputs, self._records.place.of(inputs))
            if on in chain:
                yield Binding(
                    role=inputs["role"],
                    member=inputs["member"],
                    resource=on,
                    condition=(inputs.get("condition") or {}).get("expression", ""),
                )
        project = project_of(resource)
        for api, role in SERVICE_AGENTS.items():
            agent = Place(project).service_agent(api)
            yield Binding(role=role, member=f"serviceAccount:{agent}", resource=f"projects/{project}")

    def permissions(self, role: str) -> frozenset[str]:
        """Return the permissions of a role, which may be Google's or a custom one.

        Raises:
            CloudError: The table does not contain the role.
        """
        if role.startswith(("projects/", "organizations/")):
            custom = self._records.find(iam.CUSTOM_ROLE.type, role)
            return frozenset(custom.inputs["permissions"]) if custom is not None else frozenset()
        return permissions_of(role)
