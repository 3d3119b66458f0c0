"""The Pulumi program: one stack of the event store."""

import pulumi

from event_store.errors import ConfigurationError
from infra.stack import deploy

try:
    deploy()
except ConfigurationError as error:
    # Pulumi prints a RunError as one message; anything else comes with a traceback.
    raise pulumi.RunError(str(error)) from None
