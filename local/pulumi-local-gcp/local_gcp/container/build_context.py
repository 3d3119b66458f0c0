"""The files of a Docker build context, and a hash of their content.

Docker's own rule selects the files: among the patterns of `.dockerignore` the last one that matches a file or
one of its folders decides, https://docs.docker.com/build/concepts/context/#dockerignore-files.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line of a `.dockerignore`.

    Attributes:
        expression: Matches a path below the context, with `/` between its parts.
        includes: Whether the line began with `!`.
        parts: The parts of the pattern's path.
    """

    expression: re.Pattern[str]
    includes: bool
    parts: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> "Pattern":
        """Parse a line that is neither empty nor a comment."""
        includes = line.startswith("!")
        text = os.path.normpath(line.lstrip("!").strip().lstrip("/"))
        regex, rest = "", text
        while rest:
            token = next(each for each in ("**/", "**", "*", "?", rest[0]) if rest.startswith(each))
            known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
            regex += known.get(token, re.escape(token))
            rest = rest[len(token) :]
        return cls(re.compile(f"{regex}(?:/.*)?", re.DOTALL), includes, tuple(text.split("/")))

    def reaches_into(self, folder: tuple[str, ...]) -> bool:
        """Tell whether the pattern may match a path below a folder."""
        for part, name in zip(self.parts, folder, strict=False):
            if part == "**":
                return True
            if not fnmatchcase(name, part):
                return False
        return True


def context_hash(directory: Path, dockerfile: Path) -> str:
    """Return the SHA-256 of a context's files and Dockerfile: paths, content and executable bits.

    Raises:
        FileNotFoundError: The directory or the Dockerfile is missing.
    """
    digest = hashlib.sha256(dockerfile.read_bytes())
    for path in context_files(directory, dockerfile):
        content = bytes(path.readlink()) if path.is_symlink() else path.read_bytes()
        runs = b"x" if path.lstat().st_mode & 0o100 else b"-"
        name = str(path.relative_to(directory)).encode()
        digest.update(b"%d:%s%s%d:" % (len(name), name, runs, len(content)))
        digest.update(content)
    return digest.hexdigest()


def context_files(directory: Path, dockerfile: Path) -> Iterator[Path]:
    """Yield the files of a context in sorted order."""
    patterns = _patterns(directory, dockerfile)
    for folder, names, files in os.walk(directory):
        names[:] = [name for name in sorted(names) if _may_hold(patterns, directory, Path(folder, name))]
        for name in sorted(files):
            if not _ignored(patterns, directory, Path(folder, name)):
                yield Path(folder, name)


def _patterns(directory: Path, dockerfile: Path) -> tuple[Pattern, ...]:
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")  # takes precedence over the context's
    source = own if own.exists() else directory / ".dockerignore"
    if not source.exists():
        return ()
    lines = (line.strip() for line in source.read_text().splitlines())
    return tuple(Pattern.parse(line) for line in lines if line and not line.startswith("#"))


def _may_hold(patterns: tuple[Pattern, ...], directory: Path, folder: Path) -> bool:
    """Tell whether a folder may hold files of the context; in an ignored folder only exceptions can."""
    parts = folder.relative_to(directory).parts
    return not _ignored(patterns, directory, folder) or any(
        pattern.includes and pattern.reaches_into(parts) for pattern in patterns
    )


def _ignored(patterns: tuple[Pattern, ...], directory: Path, path: Path) -> bool:
    name = path.relative_to(directory).as_posix()
    decided = [pattern.includes for pattern in patterns if pattern.expression.fullmatch(name)]
    return bool(decided) and not decided[-1]
