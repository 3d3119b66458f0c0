"""What Google checks and fills in, one table per resource type."""

from local.limits.table import Limits

__all__ = ["Limits"]
