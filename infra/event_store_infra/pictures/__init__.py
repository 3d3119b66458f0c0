"""Pictures of what the program makes, from the engine's own plan: `docs/infra.md`."""

from event_store_infra.pictures.page import BOOTSTRAP_FOLDER, page
from event_store_infra.pictures.resource import Resource, resources

__all__ = ["BOOTSTRAP_FOLDER", "Resource", "page", "resources"]
