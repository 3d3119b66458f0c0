"""The settings of a whole stack."""

import json
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from event_store.errors import ConfigurationError
from event_store.topology.routing import PARTITIONS
from event_store_infra.settings.database.alloydb import AlloyDBSettings
from event_store_infra.settings.database.database import DatabaseSettings
from event_store_infra.settings.key import key, parse, within
from event_store_infra.settings.monitoring import MonitoringSettings
from event_store_infra.settings.network import NetworkSettings
from event_store_infra.settings.profile import PROFILES, under
from event_store_infra.settings.rollout import RolloutSettings
from event_store_infra.settings.service import ServiceSettings

REPOSITORY: Final = r"[a-z0-9-]+-docker\.pkg\.dev/[a-z0-9.:-]+/[a-z0-9-]+"
# By digest, so that what was tried is exactly what runs.
IMAGE: Final = REPOSITORY + r"/[a-z0-9._/-]+@sha256:[0-9a-f]{64}"
_PROPERTY: Final = r"[A-Za-z][A-Za-z0-9_.]*"
NAMESPACE: Final = "event-store:"
# Of the database's connections: Cloud SQL's own, the migrations', a person's, and those of the instances that
# a rollout starts before it stops the old ones.
KEPT_CONNECTIONS: Final = 10
LONGEST_USER_BYTES: Final = 63  # PostgreSQL's limit on a name


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderingSettings:
    """One ordering for every topic that keeps an order, in place of the topology's."""

    partitions: int = key(
        "number of ordering keys that the aggregates are distributed over",
        lowest=PARTITIONS[0],
        highest=PARTITIONS[1],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """Project and region, in the Google Cloud provider's own keys."""

    project: str = key(
        "the id of the Google Cloud project",
        pattern="[a-z][a-z0-9-]{4,28}[a-z0-9]",
        allowed="a project's id, 6 to 30 letters, digits and hyphens; `gcloud projects list` shows yours",
        changed="replaces everything, refused",
    )
    region: str = key(
        "the region of all regional resources",
        pattern=r"[a-z]+-[a-z]+\d+",
        allowed="a region as in europe-west1; `gcloud compute regions list` shows them",
        changed="replaces everything, refused",
    )

    @classmethod
    def parse(cls, config: Mapping[str, str]) -> "ProjectSettings":
        """Parse project and region; other keys of the provider's namespace are ignored."""
        google = within("gcp:", config)
        return parse(cls, {name: google[name] for name in ("project", "region") if name in google}, "gcp:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a stack; `project` and `region` are `gcp:project` and `gcp:region`."""

    project: str
    region: str
    profile: str = key(
        "the kind of environment, which selects a set of defaults; empty for the defaults of this page",
        default="",
        choices=("", *PROFILES),
    )
    prefix: str = key(
        "prefix of all resource names; the bus takes its names from the topology",
        changed="replaces everything except the bus, refused",
        default="event-store",
        pattern="[a-z][a-z0-9-]{0,19}[a-z0-9]",
        allowed="2 to 21 small letters, digits and hyphens, a letter first and no hyphen last",
    )
    topology: str = key(
        "path of the topology file, relative to the folder of Pulumi.yaml",
        default="topology.yaml",
        pattern=".+",
        allowed="a path",
    )
    image: str = key(
        "a pushed image of the service, as another environment has built and tested it; empty to build one",
        default="",
        pattern=f"|{IMAGE}",
        allowed="by digest, as in europe-west1-docker.pkg.dev/P/event-store/event-store@sha256:…, or empty",
    )
    repository: str = key(
        "an existing Docker repository to push the image to; empty to create one",
        changed="deletes the stack's own repository with its images, refused",
        default="",
        pattern=f"|{REPOSITORY}",
        allowed="as in europe-west1-docker.pkg.dev/P/R, or empty",
    )
    ordering: OrderingSettings | None = key(
        "one ordering for every ordered topic, in place of the topology's", default=None
    )
    labels: Mapping[str, str] = key(
        "labels of all resources that can have labels",
        default=dict,
        pattern="[a-z0-9][a-z0-9_-]{0,62}",
        allowed="1 to 63 small letters, digits, hyphens and underscores",
    )
    protected: bool = key(
        "deletion protection for resources that hold data; a deleted instance keeps its backups",
        default=True,
    )
    acknowledged: Mapping[str, str] = key(
        "actions that the preview guard accepts in the next update, by resource (kind and name, or URN)",
        default=dict,
        pattern=f"replace|delete|create|update( {_PROPERTY}(, {_PROPERTY})*)?",
        allowed="replace, delete, create, or update and the properties, as the preview prints it",
    )
    deployer: str = key(
        "the service account that CI deploys with, as the bootstrap exports it; empty if people deploy",
        default="",
        pattern=r"|[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com",
        allowed="the email of a service account, or empty",
        changed="in place, after the stack's own accounts were handed over: see docs/howto/deploy.md",
    )
    image_readers: tuple[str, ...] = key(
        "who may read the stack's own images from other projects, as their bootstraps export it",
        default=(),
        pattern=r"serviceAccount:\S+@\S+",
        allowed="serviceAccount: and an email",
    )
    network: NetworkSettings = key("the network", default=NetworkSettings)
    database: DatabaseSettings = key("Cloud SQL for PostgreSQL", default=DatabaseSettings)
    alloydb: AlloyDBSettings = key("AlloyDB for PostgreSQL", default=AlloyDBSettings)
    service: ServiceSettings = key("the Cloud Run service", default=ServiceSettings)
    rollout: RolloutSettings | None = key("a canary beside the stable revision", default=None)
    monitoring: MonitoringSettings = key("alerts and dashboard", default=MonitoringSettings)
    migration_attempt: int = key(
        "change the number to run the same migrations again, after a failure with another cause",
        default=1,
        lowest=1,
        highest=9999,
    )

    @classmethod
    def parse(cls, config: Mapping[str, str]) -> "Settings":
        """Parse a stack's configuration, in which Pulumi passes texts as they are, and anything else as JSON.

        Args:
            config: Values by full key, as in `event-store:prefix`. Other namespaces are not ours to check.

        Raises:
            ConfigurationError: A key is unknown or missing, or a value or a combination is impossible.
        """
        where = ProjectSettings.parse(config)
        hints = typing.get_type_hints(cls)
        values = {
            name: decoded(text, hints.get(name)) for name, text in sorted(within(NAMESPACE, config).items())
        }
        profile = PROFILES.get(str(values.get("profile")), {})
        return parse(cls, under(profile, values), NAMESPACE, project=where.project, region=where.region)

    def __post_init__(self) -> None:
        """Reject combinations of settings that Google Cloud rejects."""
        for label in self.labels:
            if not re.fullmatch("[a-z][a-z0-9_-]{0,62}", label) or label.startswith("goog"):
                raise ConfigurationError(
                    f"event-store:labels has the key {label!r}, but keys must be 1 to 63 small letters, "
                    "digits, hyphens and underscores, a letter first and not goog, which is Google's own"
                )
        self._check_images()
        for path, name, what in (
            ("network.subnetwork", self.network.subnetwork, "subnetwork"),
            ("database.kms_key", self.database.kms_key, "key"),
            *(
                (f"database.earlier_kms_keys[{index}]", each, "key")
                for index, each in enumerate(self.database.earlier_kms_keys)
            ),
        ):
            region = name.split("/")[3:4]
            if region and region != [self.region]:
                raise ConfigurationError(
                    f"event-store:{path} is in {region[0]}, but gcp:region is {self.region}: "
                    f"choose a {what} in that region"
                )
        most = self.network.most_instances
        if not self.network.vpc and self.service.most_instances(self._revisions) > most:
            raise ConfigurationError(
                f"event-store:network.cidr {self.network.cidr} has room for {most} instances, "
                f"but event-store:service.max_instances is {self.service.max_instances}{self._beside}: "
                "enlarge the range or lower the number"
            )
        wanted = self.service.most_connections(self._revisions)
        if wanted > self.database.most_connections - KEPT_CONNECTIONS:
            raise ConfigurationError(
                f"event-store:service.max_instances {self.service.max_instances} with database_connections "
                f"{self.service.database_connections}{self._beside} may open {wanted} connections, "
                f"but a database of tier {self.database.tier} takes {self.database.most_connections}, "
                f"of which {KEPT_CONNECTIONS} are kept for rollouts and people: lower one of them, "
                "take a larger tier, or raise event-store:database.flags.max_connections"
            )
        if self.rollout and not self.rollout.stable.startswith(f"{self.prefix}-"):
            raise ConfigurationError(
                f"event-store:rollout.stable is {self.rollout.stable}, but must be a revision of the service "
                f"{self.prefix}: `pulumi stack output revision` names the one that serves"
            )
        user = f"{self.prefix}-migrator@{self.project}.iam"
        if len(user) > LONGEST_USER_BYTES:
            raise ConfigurationError(
                f"event-store:prefix is {self.prefix!r}, but the database user {user} must have at most "
                f"{LONGEST_USER_BYTES} letters: shorten the prefix by {len(user) - LONGEST_USER_BYTES}"
            )

    def _check_images(self) -> None:
        if self.image and self.repository:
            raise ConfigurationError(
                "event-store:image is built elsewhere, so nothing would be pushed to event-store:repository: "
                "remove one of them"
            )
        if len(set(self.image_readers)) < len(self.image_readers):
            raise ConfigurationError("event-store:image_readers lists a member twice: remove one")
        if self.image_readers and self.repository:
            raise ConfigurationError(
                f"event-store:image_readers is for the stack's own repository, but event-store:repository is "
                f"{self.repository}, where its owner grants access: remove one of them"
            )

    @property
    def is_delivered(self) -> bool:
        """Whether CI deploys the stack, with accounts of the bootstrap and grants by owners of resources."""
        return bool(self.deployer)

    @property
    def instance(self) -> str:
        """The name of the Cloud SQL instance."""
        return self.database.instance or self._instance_of(self.database.generation)

    @property
    def replica(self) -> str:
        """The name of the read replica; empty without one."""
        return f"{self.instance}-replica" if self.database.read_replica else ""

    @property
    def kept_instances(self) -> Mapping[int, str]:
        """The instance names of the kept generations, by generation."""
        return {each: self._instance_of(each) for each in self.database.kept_generations}

    def _instance_of(self, generation: int) -> str:
        return f"{self.prefix}-{generation}"

    @property
    def _revisions(self) -> int:
        """The number of revisions of the service that serve at the same time."""
        return self.rollout.serving_revisions if self.rollout else 1

    @property
    def _beside(self) -> str:
        """The part of a message about everything that runs beside the service's instances."""
        pool = f" and relay_instances {self.service.relay_instances}" * (self.service.relay != "service")
        return pool + " and a canary with as many instances" * (self._revisions > 1)


def decoded(text: str, hint: object = None) -> object:
    """Return a value as in the stack's file; Pulumi passes texts as they are, and anything else as JSON."""
    if hint is str:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
