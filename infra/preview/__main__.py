"""The preview guard on a plan that is there already, and its summaries on GitHub.

`pulumi preview --json | python -m infra.preview judge prod` for any other CI; `comment` and `issue` are the
workflows' own, with GITHUB_TOKEN, GITHUB_REPOSITORY and GITHUB_API_URL in the environment.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from event_store.errors import ConfigurationError
from infra.preview.comment import join
from infra.preview.github import GitHub
from infra.preview.review import review


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
        prog="python -m infra.preview",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    judge = commands.add_parser(
        "judge", help="read a plan from standard input, and refuse what would lose data"
    )
    judge.add_argument("stack")
    judge.add_argument("--summary", type=Path, help="a file for the summary, too")
    comment = commands.add_parser("comment", help="keep one comment with the summaries on a pull request")
    comment.add_argument("--pull", type=int, required=True, help="its number")
    comment.add_argument(
        "--stacks", type=json.loads, default=[], help="a JSON list of all; one without a summary has failed"
    )
    comment.add_argument("summaries", type=Path, nargs="+", help="as in preview-STACK.md")
    issue = commands.add_parser(
        "issue", help="keep one open issue with the summaries, or close it without any"
    )
    issue.add_argument("--title", required=True)
    issue.add_argument("summaries", type=Path, nargs="*")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> None:
    if arguments.command == "judge":
        review(arguments.stack, sys.stdin.read(), arguments.summary)
        return
    github = _github(os.environ)
    if arguments.command == "comment":
        paths = [each for each in arguments.summaries if each.exists() or not arguments.stacks]
        summaries = {each.stem.removeprefix("preview-"): each.read_text(encoding="utf-8") for each in paths}
        github.keep_comment(arguments.pull, "preview", join(summaries, arguments.stacks))
    else:
        texts = [path.read_text(encoding="utf-8") for path in sorted(arguments.summaries)]
        github.keep_issue(arguments.title, "drift", "\n".join(texts) if texts else None)


def _github(environment: Mapping[str, str]) -> GitHub:
    missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not environment.get(name)]
    if missing:
        raise ConfigurationError(f"the environment has no {' and no '.join(missing)}: a workflow sets them")
    url = environment.get("GITHUB_API_URL", "https://api.github.com")
    return GitHub(url, environment["GITHUB_REPOSITORY"], environment["GITHUB_TOKEN"])


if __name__ == "__main__":
    sys.exit(main())
