"""The settings of the bootstrap of one environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from event_store.errors import ConfigurationError
from event_store_infra.settings.database.database import KEY
from event_store_infra.settings.key import key, parse, within
from event_store_infra.settings.stack import ProjectSettings

NAMESPACE: Final = "event-store-bootstrap:"
LONGEST_ACCOUNT: Final = 30  # letters; Google's limit on the id of a service account
_NUMBER: Final = r"[1-9]\d{0,18}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapSettings:
    """All settings of a bootstrap; `project` is `gcp:project`."""

    project: str
    repository_id: str = key(
        "numeric id of the GitHub repository that deploys",
        pattern=_NUMBER,
        allowed="the number that `gh api repos/OWNER/NAME --jq .id` prints",
    )
    repository_owner_id: str = key(
        "numeric id of the owner of that repository",
        pattern=_NUMBER,
        allowed="the number that `gh api repos/OWNER/NAME --jq .owner.id` prints",
    )
    environment: str = key(
        "name of the stack and of its GitHub environment",
        pattern="[a-z][a-z0-9-]{0,30}[a-z0-9]",
        allowed="2 to 32 small letters, digits and hyphens",
    )
    program: str = key(
        "the name in the Pulumi.yaml of the program that the deployer updates",
        default="event-store",
        pattern="[A-Za-z0-9_.-]{1,100}",
        allowed="1 to 100 letters, digits, hyphens, underscores and dots",
    )
    state_bucket: str = key(
        "bucket of Pulumi's state",
        pattern="[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]",
        allowed="a bucket's name, without gs://",
    )
    secrets_key: str = key(
        "Cloud KMS key of the stack's secrets, one per environment",
        pattern=KEY,
        allowed="projects/P/locations/L/keyRings/R/cryptoKeys/K",
    )
    prefix: str = key(
        "prefix of all account names: the stack's `event-store:prefix`",
        default="event-store",
        pattern="[a-z][a-z0-9-]{0,18}[a-z0-9]",
        allowed="2 to 20 small letters, digits and hyphens, a letter first and no hyphen last",
    )

    engine: str = key(
        "the stack's `event-store:database.engine`, which determines the accounts' roles",
        default="cloudsql",
        choices=("cloudsql", "alloydb"),
    )

    def __post_init__(self) -> None:
        """Reject a prefix that makes an account's name too long."""
        for identity in ("deployer", "previewer"):
            if len(name := f"{self.prefix}-{identity}") > LONGEST_ACCOUNT:
                raise ConfigurationError(
                    f"{NAMESPACE}prefix is {self.prefix!r}, but the account {name} must have at most "
                    f"{LONGEST_ACCOUNT} letters: shorten the prefix by {len(name) - LONGEST_ACCOUNT}"
                )

    @classmethod
    def parse(cls, config: Mapping[str, str]) -> "BootstrapSettings":
        """Parse a configuration as Pulumi hands it over.

        Raises:
            ConfigurationError: A key is unknown or missing, or a value is impossible.
        """
        project, values = ProjectSettings.parse(config).project, within(NAMESPACE, config)
        if name := values.get("repository"):
            raise ConfigurationError(
                f"{NAMESPACE}repository is {name!r}, but a name can be taken over by others, so the "
                "repository is known by its numbers: run `pulumi config rm repository`, and set "
                f"repository_id and repository_owner_id to what `gh api repos/{name} --jq '.id, .owner.id'` "
                "prints"
            )
        return parse(cls, values, NAMESPACE, project=project)
