"""Google's checks and defaults: one table per resource type."""

from local_gcp.resource.table import Limits

__all__ = ["Limits"]
