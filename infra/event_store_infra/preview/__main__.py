"""The preview guard on a plan that is there already, and its summaries on GitHub.

`pulumi preview --json | python -m event_store_infra.preview judge prod` for any other CI; `comment` and
`issue` are the workflows' own, with GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL in the environment.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from event_store.errors import ConfigurationError
from event_store_infra.command import OPTION
from event_store_infra.preview.report.backlog import ask_monitoring
from event_store_infra.preview.report.comment import join
from event_store_infra.preview.report.github import GitHub
from event_store_infra.preview.review import review


def main() -> int:
    """Run a command; return its exit code."""
    arguments = _parse()
    try:
        _run(arguments)
    except (ConfigurationError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m event_store_infra.preview",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    judge = commands.add_parser(
        "judge", help="read a plan from standard input, and refuse what would lose data"
    )
    judge.add_argument("stack")
    judge.add_argument("--summary", type=Path, help="a file for the summary, too")
    judge.add_argument(
        "--backlog", action="store_true", help="ask Cloud Monitoring how much would go, with your credentials"
    )
    comment = commands.add_parser("comment", help="keep one comment with the summaries on a pull request")
    comment.add_argument("--pull", type=int, required=True, help="its number")
    issue = commands.add_parser(
        "issue", help="keep one open issue with the summaries, or close it without any"
    )
    issue.add_argument("--title", required=True)
    for each, count, prefix in ((comment, "+", "preview"), (issue, "*", "drift")):
        each.add_argument(
            "--stacks",
            type=json.loads,
            default=[],
            help="a JSON list of all; one without a summary has failed",
        )
        each.add_argument("summaries", type=Path, nargs=count, help=f"as in {prefix}-STACK.md")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> None:
    if arguments.command == "judge":
        _check_whole(os.environ)
        ask = ask_monitoring if arguments.backlog else None
        review(arguments.stack, sys.stdin.read(), arguments.summary, ask=ask)
        return
    github = _github(os.environ)
    if arguments.command == "comment":
        github.keep_comment(arguments.pull, "preview", _joined("preview-", arguments))
    else:
        github.keep_issue(
            arguments.title, "drift", _joined("drift-", arguments) if arguments.summaries else None
        )


def _check_whole(environment: Mapping[str, str]) -> None:
    """Refuse a plan that was made, most likely, in an environment which leaves resources out of plans."""
    for flag in ("TARGET", "EXCLUDE"):
        if environment.get(f"{OPTION}{flag}"):
            raise ConfigurationError(
                f"{OPTION}{flag} is set, so this may be no plan of the whole stack: unset it, preview again"
            )


def _joined(prefix: str, arguments: argparse.Namespace) -> str:
    paths = [each for each in arguments.summaries if each.exists() or not arguments.stacks]
    summaries = {each.stem.removeprefix(prefix): each.read_text(encoding="utf-8") for each in paths}
    return join(summaries, arguments.stacks)


def _github(environment: Mapping[str, str]) -> GitHub:
    missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not environment.get(name)]
    if missing:
        raise ConfigurationError(f"the environment has no {' and no '.join(missing)}: a workflow sets them")
    url = environment.get("GITHUB_API_URL", "https://api.github.com")
    return GitHub(url, environment["GITHUB_REPOSITORY"], environment["GITHUB_TOKEN"])


if __name__ == "__main__":
    sys.exit(main())
