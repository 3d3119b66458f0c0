"""The preview guard for any CI, and its summaries on GitHub.

`check prod` makes the plan of the whole stack and judges it. `judge prod` judges a plan from standard input,
made by `pulumi preview --json`, which does not say whether `--target` left a part out. `comment` and `issue`
are the workflows' own, with GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL in the environment.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from event_store.errors import ConfigurationError
from event_store_infra.command import OPTION
from event_store_infra.preview.plan.compared import Compared, handed_over, without_secrets
from event_store_infra.preview.plan.engine import backend, find_stack, make_plan
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
    check = commands.add_parser(
        "check", help="make the plan of the whole stack, and refuse what would lose data"
    )
    check.add_argument("--project", type=Path, default=Path(), help="the folder of Pulumi.yaml; default: .")
    check.add_argument("--refresh", action="store_true", help="read each resource again from Google first")
    judge = commands.add_parser(
        "judge", help="read a plan from standard input, and refuse what would lose data"
    )
    for each in (check, judge):
        each.add_argument("stack", help="as in Pulumi.<stack>.yaml")
        each.add_argument("--summary", type=Path, help="a file for the summary, too")
        each.add_argument(
            "--backlog",
            action="store_true",
            help="ask Cloud Monitoring how much would go, with your credentials",
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
    if arguments.command in {"check", "judge"}:
        text, compared = _made(arguments) if arguments.command == "check" else _handed_over()
        ask = ask_monitoring if arguments.backlog else None
        review(arguments.stack, text, arguments.summary, compared=compared, ask=ask)
        return
    github = _github(os.environ)
    if arguments.command == "comment":
        github.keep_comment(arguments.pull, "preview", _joined("preview-", arguments))
    else:
        github.keep_issue(
            arguments.title, "drift", _joined("drift-", arguments) if arguments.summaries else None
        )


def _made(arguments: argparse.Namespace) -> tuple[str, Compared]:
    """Return the plan of a whole stack, and its real state.

    Raises:
        ConfigurationError: The backend has no such stack, or the engine makes no plan.
    """
    project, stack = arguments.project, arguments.stack
    compared = find_stack(project, stack, refreshed=arguments.refresh)
    if compared is None:
        place = without_secrets(backend(project)) or "the backend"
        raise ConfigurationError(f"{place} has no stack {stack}: log in to another one, or make the stack")
    return make_plan(project, stack, *(["--refresh"] if arguments.refresh else [])), compared


def _handed_over() -> tuple[str, Compared]:
    _check_whole(os.environ)
    return sys.stdin.read(), handed_over()


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
