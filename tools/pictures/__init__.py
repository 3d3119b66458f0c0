"""Draw the infrastructure from the engine's plan: `docs/explanation/infra.md`."""

from tools.pictures.page import BOOTSTRAP_FOLDER, page
from tools.pictures.resource import Resource, resources

__all__ = ["BOOTSTRAP_FOLDER", "Resource", "page", "resources"]
