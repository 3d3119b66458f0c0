"""The errors that the local Google Cloud raises on purpose.

LocalGcpError
├── SetupError            something on this machine has to change; the message says what and how
└── CloudError            Google would reject the call; see `local_gcp.resource.errors`
└── NotReadyError     the resource was made or changed, but does not work yet
"""


class LocalGcpError(Exception):
    """The root of the tree; its message is a sentence for a person."""


class SetupError(LocalGcpError):
    """Something on this machine has to change, such as a taken port; the message says what and how."""
