"""What a resource type has is read from the SDK, by whoever asks first."""

import subprocess
import sys

# In a process of its own, in which nothing of the SDK is loaded yet.
AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from local_gcp.resource.sdk_schema import schema_of
barrier = Barrier(8)
def ask(_):
    barrier.wait()
    return "name" in schema_of("gcp:pubsub/topic:Topic").hints
with ThreadPoolExecutor(8) as threads:
    assert all(threads.map(ask, range(8)))
"""


def test_many_may_ask_at_once() -> None:
    """Threads that ask for a type that nobody asked for before all see the whole of it."""
    answer = subprocess.run(
        [sys.executable, "-c", AT_ONCE], capture_output=True, text=True, timeout=60, check=False
    )

    assert answer.returncode == 0, answer.stderr
