"""Set up the environment: `.venv` from the pins, the Pulumi CLI and uv under `.tools/`.

With --only-run, packages for tests, checks and benchmarks are left out.

Needs only Python 3.11 or newer. Safe to run at any time: finished steps are skipped.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - an older Python must get this sentence, not a traceback
    sys.exit(
        "error: this project needs Python 3.11 or newer. Run it as `make setup PYTHON=python3.12`, for one."
    )

import argparse
import fcntl
import subprocess
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools import CACHE, ToolError, pulumi_cli, python_environment


def set_up(*, everything: bool) -> None:
    """Run every unfinished step, one process at a time.

    Args:
        everything: Whether to include the packages of tests, checks and benchmarks.
    """
    started = time.monotonic()
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another set-up that runs in this directory", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        changed = [python_environment.ensure(everything=everything), pulumi_cli.ensure()]
    if any(changed):
        print(f"Environment ready in {time.monotonic() - started:.0f} s")


def main() -> int:
    """Run the set-up, and print an error as one message."""
    parser = argparse.ArgumentParser(prog="tools/setup.py", description=__doc__)
    parser.add_argument("--only-run", action="store_true", help="what `make up`, `preview` and `stack` run")
    try:
        set_up(everything=not parser.parse_args().only_run)
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"error: {error}\nMend that and run it again.", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nInterrupted. Run it again to go on from here.", file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
