"""What Google would answer no to; the tree of errors is in `local_gcp.errors`."""

from local_gcp.errors import LocalGcpError
from local_gcp.resource.properties import Properties


class CloudError(LocalGcpError):
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
