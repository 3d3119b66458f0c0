"""Resources that are recorded with realistic outputs, and have no other effect on a laptop."""

from collections.abc import Mapping
from typing import Final

from local_gcp.cloudrun import run_rules
from local_gcp.monitoring import monitoring_rules
from local_gcp.recorded import federation, iam, network, registry, storage
from local_gcp.resource import Limits
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place, digits, private_address
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record


class Recorded(Kind):
    """A resource type whose outputs follow from its inputs.

    Args:
        limits: Google's checks of the inputs.
        identity: A template of the id. Fields in braces are inputs, and the place's `project`, `region` and
            `number`. `agent` is the project of the service agents of the input `service`, and `made` stands
            for a number that Google makes up.
        outputs: Templates of the computed outputs. Further fields are `id`, a 21-digit `unique`, a `private`
            address, and earlier outputs.
    """

    def __init__(self, limits: Limits, identity: str, **outputs: str) -> None:
        self.limits = limits
        self._identity = identity
        self._outputs = outputs

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return the id, filled in from the template."""
        return self._identity.format_map(_Words(inputs, place))

    async def create(self, draft: Draft) -> Properties:
        """Return the outputs, filled in from the templates."""
        words = _Words(draft.inputs, draft.place)
        words.update(id=draft.id, unique=digits(draft.id, 21), private=private_address(draft.id))
        computed = {
            name: words.setdefault(name, text.format_map(words)) for name, text in self._outputs.items()
        }
        where = {"project": words["project"], **({"region": words["region"]} if self._is_regional else {})}
        return {**where, **computed, **draft.inputs}

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Return the outputs, filled in again."""
        return await self.create(draft)

    async def delete(self, record: Record) -> None:
        """Do nothing: only the record is deleted."""

    @property
    def _is_regional(self) -> bool:
        return "region" in self.limits.fields


class Shared(Recorded):
    """A resource that exists once, however many stacks declare it, until the last of them deletes it."""

    is_shared = True


class _Words(dict[str, str]):
    def __init__(self, inputs: Properties, place: Place) -> None:
        there = place.of(inputs)
        super().__init__(
            {key: str(value) for key, value in inputs.items()},
            project=there.project,
            region=there.region,
            location=there.region,
            number=there.number,
            made=digits(repr(sorted(inputs.items())), 12),
            agent=there.service_agent(str(inputs.get("service", "")).removesuffix(".googleapis.com")),
        )


COMPUTE: Final = "https://www.googleapis.com/compute/v1/projects/{project}"
_GRANT: Final[Mapping[str, str]] = {"etag": "BwY{unique}="}
TIME: Final = "2025-08-09T00:00:00.000000Z"

RECORDED: Final = (
    Shared(iam.SERVICE, "{project}/{service}"),
    Shared(
        iam.SERVICE_IDENTITY,
        "projects/{project}/services/{service}",
        email="{agent}",
        member="serviceAccount:{email}",
    ),
    Recorded(iam.PROJECT_IAM_MEMBER, "{project}/{role}/{member}", **_GRANT),
    Recorded(
        iam.ACCOUNT,
        "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        email="{accountId}@{project}.iam.gserviceaccount.com",
        member="serviceAccount:{email}",
        name="{id}",
        uniqueId="{unique}",
    ),
    Recorded(
        storage.BUCKET,
        "{name}",
        url="gs://{name}",
        selfLink="https://www.googleapis.com/storage/v1/b/{name}",
        timeCreated=TIME,
        updated=TIME,
    ),
    Recorded(iam.BUCKET_IAM_MEMBER, "b/{bucket}/{role}/{member}", **_GRANT),
    Recorded(iam.TABLE_IAM_MEMBER, "projects/{project}/{datasetId}/{tableId}/{role}/{member}", **_GRANT),
    Recorded(iam.KEY_IAM_MEMBER, "{cryptoKeyId}/{role}/{member}", **_GRANT),
    Recorded(iam.CUSTOM_ROLE, "projects/{project}/roles/{roleId}", name="{id}", deleted="false"),
    Recorded(
        federation.POOL,
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        name="projects/{number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}",
        state="ACTIVE",
    ),
    Recorded(
        federation.PROVIDER,
        "projects/{project}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
        "/providers/{workloadIdentityPoolProviderId}",
        name="projects/{number}/locations/global/workloadIdentityPools/{workloadIdentityPoolId}"
        "/providers/{workloadIdentityPoolProviderId}",
        state="ACTIVE",
    ),
    Recorded(iam.ACCOUNT_IAM_MEMBER, "{serviceAccountId}/{role}/{member}", **_GRANT),
    Recorded(
        network.NETWORK,
        "projects/{project}/global/networks/{name}",
        selfLink=COMPUTE + "/global/networks/{name}",
        networkId="{unique}",
        numericId="{unique}",
    ),
    Recorded(
        network.SUBNETWORK_IAM_MEMBER,
        "projects/{project}/regions/{region}/subnetworks/{subnetwork}/{role}/{member}",
        **_GRANT,
    ),
    Recorded(
        network.GLOBAL_ADDRESS,
        "projects/{project}/global/addresses/{name}",
        selfLink=COMPUTE + "/global/addresses/{name}",
        address="10.128.0.0",
        creationTimestamp=TIME,
    ),
    Recorded(
        network.ADDRESS,
        "projects/{project}/regions/{region}/addresses/{name}",
        selfLink=COMPUTE + "/regions/{region}/addresses/{name}",
        address="{private}",
        creationTimestamp=TIME,
    ),
    Recorded(
        network.FORWARDING_RULE,
        "projects/{project}/regions/{region}/forwardingRules/{name}",
        selfLink=COMPUTE + "/regions/{region}/forwardingRules/{name}",
        pscConnectionId="{unique}",
        pscConnectionStatus="ACCEPTED",
        creationTimestamp=TIME,
    ),
    Recorded(network.CONNECTION, "{network}:{service}", peering="servicenetworking-googleapis-com"),
    Recorded(
        registry.REPOSITORY,
        "projects/{project}/locations/{location}/repositories/{repositoryId}",
        name="{repositoryId}",
        registryUri="{location}-docker.pkg.dev/{project}/{repositoryId}",
        createTime=TIME,
        updateTime=TIME,
    ),
    Recorded(
        monitoring_rules.NOTIFICATION_CHANNEL,
        "projects/{project}/notificationChannels/{displayName}",
        name="{id}",
    ),
    Recorded(monitoring_rules.DASHBOARD, "projects/{number}/dashboards/{made}"),
    Recorded(registry.REPOSITORY_IAM_MEMBER, "{repository}/{role}/{member}", **_GRANT),
    Recorded(
        run_rules.SERVICE_IAM_MEMBER,
        "projects/{project}/locations/{location}/services/{name}/{role}/{member}",
        **_GRANT,
    ),
)
