"""The settings of the bootstrap of one environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from event_store.errors import ConfigurationError
from infra.settings.database import KEY
from infra.settings.key import key, parse, within
from infra.settings.stack import ProjectSettings

NAMESPACE: Final = "event-store-bootstrap:"
LONGEST_ACCOUNT: Final = 30  # letters; Google's limit on the id of a service account
LONGEST_SUBJECT: Final = 127  # bytes; Google's limit on google.subject


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapSettings:
    """Everything that the file of a bootstrap says; `project` is `gcp:project`."""

    project: str
    repository: str = key(
        "the GitHub repository that deploys",
        pattern=r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?/[A-Za-z0-9_.-]{1,100}",
        allowed="owner/name",
    )
    environment: str = key(
        "the stack's name, which is that of its GitHub environment too",
        pattern="[a-z][a-z0-9-]{0,30}[a-z0-9]",
        allowed="2 to 32 small letters, digits and hyphens",
    )
    state_bucket: str = key(
        "the bucket with Pulumi's state",
        pattern="[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]",
        allowed="a bucket's name, without gs://",
    )
    secrets_key: str = key(
        "the key that encrypts the stack's secrets, one per environment",
        pattern=KEY,
        allowed="projects/P/locations/L/keyRings/R/cryptoKeys/K",
    )
    prefix: str = key(
        "what the names of all accounts begin with",
        default="event-store",
        pattern="[a-z][a-z0-9-]{0,18}[a-z0-9]",
        allowed="2 to 20 small letters, digits and hyphens, a letter first and no hyphen last",
    )

    def __post_init__(self) -> None:
        """Refuse what Google refuses of a combination."""
        for identity in ("deployer", "previewer"):
            if len(name := f"{self.prefix}-{identity}") > LONGEST_ACCOUNT:
                raise ConfigurationError(
                    f"{NAMESPACE}prefix is {self.prefix!r}, but the account {name} must have at most "
                    f"{LONGEST_ACCOUNT} letters: shorten the prefix by {len(name) - LONGEST_ACCOUNT}"
                )
        subject = f"repo:{self.repository}:environment:{self.environment}"
        if len(subject) > LONGEST_SUBJECT:
            raise ConfigurationError(
                f"{NAMESPACE}environment is {self.environment!r}, but the subject {subject} must have "
                f"at most {LONGEST_SUBJECT} letters: shorten the environment's name"
            )

    @classmethod
    def parse(cls, config: Mapping[str, str]) -> "BootstrapSettings":
        """Parse a configuration as Pulumi hands it over.

        Raises:
            ConfigurationError: A key is unknown or missing, or a value is impossible.
        """
        project = ProjectSettings.parse(config).project
        return parse(cls, within(NAMESPACE, config), NAMESPACE, project=project)
