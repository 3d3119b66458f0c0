"""The Pulumi program: one stack of the event store."""

import sys

import pulumi

from event_store.errors import ConfigurationError
from event_store_infra.stack import deploy

try:
    deploy()
except ConfigurationError as error:
    pulumi.log.error(str(error))
    sys.exit(32)  # tells the language host that the user has been told, and needs no traceback
