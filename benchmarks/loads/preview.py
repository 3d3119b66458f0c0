"""Previews a stack on an empty local Google Cloud of which only the provider runs; prints the seconds."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble_empty
from local_gcp.engine.pulumi_cli import Pulumi
from local_gcp.provider.server import Provider


async def preview(project: Path, stack: str, directory: Path) -> float:
    """Return how long `pulumi preview` takes, in seconds, with the stack made before."""
    state = State(directory)
    async with Provider(assemble_empty(state, project).cloud) as provider:
        pulumi = Pulumi(project, state.pulumi, stack, provider.attachment)
        await pulumi.prepare()
        began = time.perf_counter()
        await pulumi.plan()
        return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loads.preview", description=__doc__)
    parser.add_argument("project", type=Path, help="the folder of Pulumi.yaml")
    parser.add_argument("stack")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        sys.stdout.write(f"{asyncio.run(preview(arguments.project, arguments.stack, Path(temporary)))}\n")
