"""What a preview leaves on GitHub: one comment on a pull request, one issue about drift.

Invariant: there is at most one of each, found again by a hidden marker in a text of a bot, so that nobody
else's comment is ever changed.
"""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from event_store.errors import ConfigurationError
from event_store_infra.preview.report.summary import shortened

_TIMEOUT_SECONDS: Final = 30.0
_PAGE: Final = 100  # the most that GitHub lists at once
_MOST_PAGES: Final = 30


@dataclass(frozen=True, slots=True)
class GitHub:
    """The REST interface of one repository.

    Attributes:
        url: The root, as in `https://api.github.com`.
        repository: `owner/name`.
        token: What the workflow's job was given; it may write to pull requests or to issues.
    """

    url: str
    repository: str
    token: str

    def keep_comment(self, pull: int, marker: str, body: str) -> None:
        """Write the one comment of a marker on a pull request, anew or over the last one.

        Args:
            pull: The pull request's number.
            marker: A word; what it marks is not seen by readers.
            body: Markdown; cut where it is too long for GitHub.

        Raises:
            ConfigurationError: GitHub refuses.
        """
        marked = _marked(marker, body)
        found = self._find(f"issues/{pull}/comments", marker)
        if found is None:
            self._call("POST", f"issues/{pull}/comments", {"body": marked})
        else:
            self._call("PATCH", f"issues/comments/{found['id']}", {"body": marked})

    def keep_issue(self, title: str, marker: str, body: str | None) -> None:
        """Write the one open issue of a marker, anew or over the last one, or close it.

        Args:
            title: The issue's title.
            marker: A word; what it marks is not seen by readers.
            body: Markdown; None where there is nothing to say any more.

        Raises:
            ConfigurationError: GitHub refuses.
        """
        found = self._find("issues?state=open", marker)
        if body is None:
            if found is not None:
                self._call("PATCH", f"issues/{found['number']}", {"state": "closed"})
        elif found is None:
            self._call("POST", "issues", {"title": title, "body": _marked(marker, body)})
        else:
            self._call("PATCH", f"issues/{found['number']}", {"title": title, "body": _marked(marker, body)})

    def _find(self, path: str, marker: str) -> Any:
        return next(
            (
                each
                for each in self._listed(path)
                if (each.get("user") or {}).get("type") == "Bot"
                and str(each.get("body") or "").startswith(_hidden(marker))
            ),
            None,
        )

    def _listed(self, path: str) -> Iterator[Any]:
        separator = "&" if "?" in path else "?"
        for page in range(1, _MOST_PAGES + 1):
            listed = self._call("GET", f"{path}{separator}per_page={_PAGE}&page={page}")
            yield from listed
            if len(listed) < _PAGE:
                return

    def _call(self, method: str, path: str, content: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 # the workflow's own GitHub
            f"{self.url}/repos/{self.repository}/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 # as above
                return json.load(answer)
        except urllib.error.HTTPError as error:
            reason = re.sub(r"\s+", " ", error.read(500).decode(errors="replace"))
            raise ConfigurationError(
                f"GitHub refuses {method} {path} with {error.code}: {reason}; "
                "do the `permissions` of the job allow it?"
            ) from None
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"GitHub does not answer {method} {path}: {error}") from None


def _hidden(marker: str) -> str:
    return f"<!-- event-store:{marker} -->"


def _marked(marker: str, body: str) -> str:
    return f"{_hidden(marker)}\n{shortened(body)}"
