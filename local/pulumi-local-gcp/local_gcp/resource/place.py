"""The project and region that the provider is configured with."""

import hashlib
from dataclasses import dataclass

from local_gcp.resource.properties import Properties


@dataclass(frozen=True, slots=True)
class Place:
    """A project and a region.

    Attributes:
        project: The project's id; empty if the stack does not say.
        region: The default region; empty if the stack does not say.
    """

    project: str = ""
    region: str = ""

    @property
    def number(self) -> str:
        """The project's number: 12 digits derived from its id."""
        return digits(self.project, 12)

    def service_agent(self, api: str) -> str:
        """Return the email of an API's service agent in the project; `pubsub` is an example of an API."""
        accounts = {"run": "serverless-robot-prod", "sqladmin": "gcp-sa-cloud-sql"}.get(api, f"gcp-sa-{api}")
        return f"service-{self.number}@{accounts}.iam.gserviceaccount.com"

    def of(self, inputs: Properties) -> "Place":
        """Return the place of a resource, which may name its own project and region."""
        region = inputs.get("location") or inputs.get("region") or self.region
        return Place(str(inputs.get("project") or self.project), str(region))


def digits(text: str, length: int) -> str:
    """Return a number of so many digits that depends only on a text."""
    first = 10 ** (length - 1)
    return str(first + int(hashlib.sha256(text.encode()).hexdigest(), 16) % (9 * first))


def private_address(name: str) -> str:
    """Return the network address of a resource, derived from its name.

    Containers receive this address; the runner translates it to the database's address on this machine.
    """
    number = int(digits(name, 6))
    return f"10.128.{number // 250 % 250}.{number % 250 + 3}"
