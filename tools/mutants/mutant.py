"""One entry of the list: a change of one file, and the tests that should notice it."""

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
    """A small, plausible change.

    Attributes:
        area: The list's file, without its suffix.
        name: Unique in the whole list.
        file: What is changed, relative to the root.
        old: A text that the file has exactly once.
        new: The text in its place.
        why: The fault that the change stands for.
        tests: The tests that should notice, as pytest takes them; at least one of them fails.
        accepted: Why no test has to notice; empty if one has to.
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
        """Return the changed text of the file.

        Raises:
            ToolError: The entry is stale: the file is gone, or does not have the text exactly once.
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
        """Return what is wrong with the entry itself; nothing is run."""
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
        ToolError: An entry has not the form of one, or a name is there twice.
    """
    return parse({path.stem: path.read_text() for path in sorted((root / LIST).glob("*.yaml"))})


def parse(texts: Mapping[str, str]) -> list[Mutant]:
    """Return the entries of the list's files, given by area.

    Raises:
        ToolError: An entry has not the form of one, or a name is there twice.
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
    """Return the tests, without those that another one of them contains."""
    every = set(tests)
    return sorted(test for test in every if not every.intersection(_containing(test)))


def _containing(test: str) -> list[str]:
    """Return what contains a test: its file and folders."""
    file, _, function = test.partition("::")
    folders = [str(folder) for folder in Path(file).parents]
    return [*folders, *([file] if function else [])]


def _is_there(root: Path, test: str) -> bool:
    file, _, function = test.partition("::")
    if not (root / file).exists():
        return False
    name = re.escape(function.partition("[")[0].rpartition("::")[2])
    return not function or re.search(rf"def {name}\(", (root / file).read_text()) is not None
