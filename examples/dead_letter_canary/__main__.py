"""`python -m examples.dead_letter_canary --project P`: run the canary once."""

import argparse
import asyncio
import sys

from google.api_core.exceptions import GoogleAPICallError

from examples.dead_letter_canary.canary import Canary, CanaryError

DESCRIPTION = """\
See whether an ordering key goes on after a message of it became a dead letter.

Google documents that it does; google-cloud-dotnet#11793 reports that it may stall. The canary makes topics
and subscriptions of its own in the project, refuses one message until it is a dead letter, tells whether the
next ones of its key arrive, and deletes what it made. PUBSUB_EMULATOR_HOST makes it ask an emulator.

exit status: 0 the key goes on, 1 it stalls or no dead letter came, 2 wrong usage"""


def main() -> int:
    """Run the canary and print the result."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.dead_letter_canary",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--project", required=True, metavar="ID", help="project to make topics in")
    parser.add_argument(
        "--project-number",
        default="",
        metavar="N",
        help="its number: grants Pub/Sub's service agent what dead letters need; without it the agent must"
        " have these rights in the whole project",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help="longest wait for each message (default: 120)",
    )
    arguments = parser.parse_args()
    if not 0 < arguments.timeout < float("inf"):
        parser.error(f"--timeout: {arguments.timeout} is not a positive number of seconds")
    canary = Canary(arguments.project, arguments.project_number, arguments.timeout)
    try:
        for line in asyncio.run(canary.run()):
            sys.stdout.write(f"{line}\n")
    except CanaryError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except GoogleAPICallError as error:
        sys.stderr.write(f"error: Pub/Sub refused the canary: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
