"""A mutant: a change of one file, and the tests that should detect it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import yaml

from tools import ToolError

LIST: Final = Path("tests/tools/mutants")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One entry of the list.

    Attributes:
        area: The name of the list's file, without the suffix.
        name: The name, unique in all areas.
        file: The changed file, relative to the root.
        old: The replaced text, exactly once in the file.
        new: The replacement.
        why: The fault that the change represents.
        tests: The tests, as arguments of pytest; at least one of them has to fail.
        accepted: Why no test has to fail; empty if one has to.
    """

    area: str
    name: str
    file: str
    old: str
    new: str
    why: str
    tests: tuple[str, ...]
    accepted: str = ""

    def applied(self, root: Path) -> str:
        """Return the file's text with the change applied.

        Raises:
            ToolError: The entry is stale: the file does not exist, or does not have `old` exactly once.
        """
        path = root / self.file
        text = path.read_text() if path.is_file() else None
        found = text.count(self.old) if text is not None else 0
        if text is None or found != 1:
            where = (
                f"is in {self.file} {found} times"
                if text is not None
                else f"needs {self.file}, which is gone"
            )
            raise ToolError(
                f"{self.area}/{self.name} is stale: its `old` {where}. Renew or delete the entry."
            )
        return text.replace(self.old, self.new)

    def faults(self, root: Path) -> list[str]:
        """Return the faults of the entry itself, without running tests."""
        faults = [
            f"{field} is empty" for field in ("name", "old", "why", "tests") if not getattr(self, field)
        ]
        if self.old == self.new:
            faults.append("old and new are the same")
        try:
            text = self.applied(root)
            if self.file.endswith(".py"):
                compile(text, self.file, "exec", dont_inherit=True)
        except ToolError as error:
            faults.append(str(error))
        except SyntaxError as error:
            faults.append(f"the mutant does not compile: {error}")
        faults += [f"there is no test {test}" for test in self.tests if not _is_there(root, test)]
        return [f"{self.area}/{self.name}: {fault}" for fault in faults]


def load(root: Path) -> list[Mutant]:
    """Return the whole list.

    Raises:
        ToolError: An entry is malformed, or a name is not unique.
    """
    return parse({path.stem: path.read_text() for path in sorted((root / LIST).glob("*.yaml"))})


def parse(texts: Mapping[str, str]) -> list[Mutant]:
    """Parse the list's files, given by area.

    Raises:
        ToolError: An entry is malformed, or a name is not unique.
    """
    mutants = [_entry(area, entry) for area, text in texts.items() for entry in yaml.safe_load(text) or ()]
    twice = [name for name, times in Counter(mutant.name for mutant in mutants).items() if times > 1]
    if twice:
        raise ToolError(f"names in {LIST} that are there twice: {', '.join(twice)}. Give each entry its own.")
    return mutants


def _entry(area: str, entry: Mapping[str, Any]) -> Mutant:
    try:
        tests = tuple(entry["tests"])
        return Mutant(area=area, tests=tests, **{key: text for key, text in entry.items() if key != "tests"})
    except (TypeError, KeyError) as error:
        keys = ", ".join(field.name for field in fields(Mutant) if field.name != "area")
        raise ToolError(f"{LIST}/{area}.yaml: {entry}: {error}. An entry has the keys {keys}.") from None


def without_covered(tests: Iterable[str]) -> list[str]:
    """Return the tests without those that are contained in another one."""
    every = set(tests)
    return sorted(test for test in every if not every.intersection(_containing(test)))


def _containing(test: str) -> list[str]:
    """Return the file and the folders that contain a test."""
    file, _, function = test.partition("::")
    folders = [str(folder) for folder in Path(file).parents]
    return [*folders, *([file] if function else [])]


def _is_there(root: Path, test: str) -> bool:
    file, _, function = test.partition("::")
    if not (root / file).exists():
        return False
    name = re.escape(function.partition("[")[0].rpartition("::")[2])
    return not function or re.search(rf"def {name}\(", (root / file).read_text()) is not None
