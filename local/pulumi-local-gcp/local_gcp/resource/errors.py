"""The errors with which Google would answer; the tree of errors is in `local_gcp.errors`."""

from local_gcp.errors import LocalGcpError
from local_gcp.resource.properties import Properties


class CloudError(LocalGcpError):
    """The cloud rejects the call; nothing was changed."""


class NotReadyError(CloudError):
    """The resource exists in the cloud but does not work yet; the next update retries it."""

    def __init__(self, message: str, identity: str, inputs: Properties, outputs: Properties) -> None:
        """Keep the resource's state for the engine.

        Args:
            message: What is wrong, for a person.
            identity: Google's id of the resource.
            inputs: The resource's inputs.
            outputs: The resource's outputs.
        """
        super().__init__(message)
        self.identity = identity
        self.inputs = inputs
        self.outputs = outputs
