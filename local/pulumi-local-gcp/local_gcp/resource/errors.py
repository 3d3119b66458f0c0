"""What goes wrong in the local Google Cloud.

    EventStoreError
    └── CloudError            Google's answer would be no: says what and how to fix it
        └── NotReadyError     the resource was made or changed, but does not work yet

What an operator has to change on this machine (a taken port, a missing program) is a ConfigurationError.
"""

from event_store.errors import EventStoreError
from local_gcp.resource.properties import Properties


class CloudError(EventStoreError):
    """The cloud refuses; nothing was changed."""


class NotReadyError(CloudError):
    """The resource stands in the cloud, but does not work yet: the next update tries again."""

    def __init__(self, message: str, identity: str, inputs: Properties, outputs: Properties) -> None:
        """Keep what became of the resource.

        Args:
            message: What is wrong, for a person.
            identity: Google's id of it.
            inputs: What it was asked to be.
            outputs: What it is.
        """
        super().__init__(message)
        self.identity = identity
        self.inputs = inputs
        self.outputs = outputs
