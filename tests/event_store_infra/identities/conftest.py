"""The local Google Cloud for the tests of identities, with a stack to bring up."""

from tests.local_gcp.conftest import local_cloud, stack

__all__ = ["local_cloud", "stack"]  # fixtures
