"""The local Google Cloud for the tests of delivery, with an engine that previews and a stack to bring up."""

from tests.infra.conftest import engine
from tests.local.conftest import local_cloud, stack

__all__ = ["engine", "local_cloud", "stack"]  # fixtures
