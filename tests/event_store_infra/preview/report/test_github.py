"""One comment and one issue on GitHub, written anew each time, by GitHub's own REST on a loopback server."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from event_store.errors import ConfigurationError
from event_store_infra.preview.report.github import GitHub
from tools import ROOT

TOKEN = "token-of-the-test"  # noqa: S105 # worth nothing
BOT = {"type": "Bot"}


class Repository(ThreadingHTTPServer):
    """What GitHub has of a repository: issues, and comments of its pull request 7."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.github = GitHub(f"http://127.0.0.1:{self.server_port}", "team/store", TOKEN)


class Handler(BaseHTTPRequestHandler):
    server: Repository

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        asked = dict(each.split("=") for each in query.split("&"))
        everything = self._collection(path)
        listed = [each for each in everything if each.get("state", "open") == asked.get("state", "open")]
        size, page = int(asked["per_page"]), int(asked["page"])
        self._answer(200, listed[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(403, {"message": "Resource not accessible by integration"})
            return
        collection = self._collection(self.path)
        number = len(collection) + 1
        collection.append({"id": number, "number": number, "user": BOT, **self._content()})
        self._answer(201, collection[-1])

    def do_PATCH(self) -> None:
        path, _, number = self.path.rpartition("/")
        (found,) = (each for each in self._collection(path) if each["id"] == int(number))
        found.update(self._content())
        self._answer(200, found)

    def _collection(self, path: str) -> list[dict[str, Any]]:
        if re.fullmatch(r"/repos/team/store/issues(/7)?/comments", path):
            return self.server.comments
        assert path == "/repos/team/store/issues"
        return self.server.issues

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return content

    def _answer(self, code: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def repository() -> Iterator[Repository]:
    """Return a repository that has nothing."""
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_there_is_one_comment_whatever_others_write(repository: Repository) -> None:
    """A second preview writes over the first, on whichever page of the comments it is, and over no other."""
    marked = "<!-- event-store:preview -->\nnot the workflow's"
    repository.comments += [
        {"id": number, "user": {"type": "User"}, "body": marked} for number in range(1, 131)
    ]

    repository.github.keep_comment(7, "preview", "first")
    repository.github.keep_comment(7, "preview", "second")
    repository.github.keep_comment(7, "other", "third")

    assert [each["body"] for each in repository.comments[130:]] == [
        "<!-- event-store:preview -->\nsecond",
        "<!-- event-store:other -->\nthird",
    ]
    assert {each["body"] for each in repository.comments[:130]} == {marked}


def test_there_is_one_open_issue_while_there_is_drift(repository: Repository) -> None:
    """Drift opens an issue, more of it changes that, its end closes it, and new drift opens another."""
    for body in ("one", "two", None, None, "three"):
        repository.github.keep_issue("Drift", "drift", body)

    assert [(each["body"].splitlines()[1], each.get("state", "open")) for each in repository.issues] == [
        ("two", "closed"),
        ("three", "open"),
    ]


def test_a_refusal_says_what_to_do(repository: Repository) -> None:
    """A token without the permission, and a GitHub that is not there, are one message each."""
    stranger = GitHub(repository.github.url, "team/store", "other")
    nowhere = GitHub("http://127.0.0.1:9", "team/store", TOKEN)

    with pytest.raises(ConfigurationError, match=r"403: .*not accessible.*`permissions` of the job"):
        stranger.keep_comment(7, "preview", "text")
    with pytest.raises(ConfigurationError, match="does not answer"):
        nowhere.keep_comment(7, "preview", "text")


def test_the_command_joins_the_summaries_of_all_stacks(repository: Repository, tmp_path: Path) -> None:
    """Comment and issue hold every stack's summary, the worst first; without its environment each says so."""
    for name in ("prod", "dev"):
        (tmp_path / f"{name}.md").write_text(f"## `{name}`: no change\n")
    files = [str(tmp_path / "prod.md"), str(tmp_path / "dev.md")]
    for name, outcome in (("dev", "no change"), ("prod", "refused, 1 change would lose data")):
        (tmp_path / f"drift-{name}.md").write_text(f"## `{name}`: {outcome}\n")
    drifts = [str(tmp_path / "drift-dev.md"), str(tmp_path / "drift-prod.md")]
    environment = {
        "GITHUB_API_URL": repository.github.url,
        "GITHUB_REPOSITORY": "team/store",
        "GITHUB_TOKEN": TOKEN,
    }

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "event_store_infra.preview", *arguments],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    commented = run("comment", "--pull", "7", *files, **environment)
    joined = repository.comments[0]["body"]
    opened = run("issue", "--title", "Drift", *files, **environment)
    drifted = run("issue", "--title", "Drift", "--stacks", '["dev", "prod", "qa"]', *drifts, **environment)
    issue = repository.issues[0]["body"]
    closed = run("issue", "--title", "Drift", **environment)
    elsewhere = run("comment", "--pull", "7", *files)
    nothing = str(tmp_path / "previews" / "*.md")  # as a shell leaves it where no job gave a summary
    failed = run("comment", "--pull", "7", "--stacks", '["qa"]', nothing, **environment)

    assert commented.returncode == opened.returncode == closed.returncode == 0, commented.stderr
    assert drifted.returncode == 0, drifted.stderr
    assert [line for line in issue.splitlines() if line.startswith("## ")] == [
        "## `prod`: refused, 1 change would lose data",
        "## `qa`: the preview failed",
        "## `dev`: no change",
    ]
    assert joined.count("no change") == len(files)
    assert "`dev`: no change\n\n## `prod`" in joined
    assert len(repository.comments) == 1
    assert [each["state"] for each in repository.issues] == ["closed"]
    assert failed.returncode == 0, failed.stderr
    assert "## `qa`: the preview failed" in repository.comments[0]["body"]
    assert elsewhere.returncode == 1
    assert "no GITHUB_REPOSITORY and no GITHUB_TOKEN" in elsewhere.stderr
