"""The records of decisions have one form, by which a reader sees whether and since when each holds."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.processes import ROOT

RECORDS: Final = sorted((ROOT / "docs" / "adr").glob("*.md"))
HEAD: Final = re.compile(
    r"# (?P<number>\d+)\. \S.*\n\n"
    r"- Status: (?:accepted|superseded by \[\d+\]\(\d{4}-[\w-]+\.md\))\n"
    r"- Date: \d{4}-\d\d-\d\d(?:, revised \d{4}-\d\d-\d\d)?\n\n"
)
SECTIONS: Final = (
    ["Context", "Decision", "Consequences"],
    ["Context", "Decision", "Alternatives", "Consequences"],
)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_a_decision_has_its_number_status_and_date(record: Path) -> None:
    """And the sections in their order, with the alternatives where there were any."""
    text = record.read_text("utf-8")
    head = HEAD.match(text)

    assert head, "begin with `# N. Title`, `- Status: accepted` and `- Date: YYYY-MM-DD`"
    assert record.name.startswith(f"{int(head['number']):04}-")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) in SECTIONS


def test_no_two_decisions_share_a_number() -> None:
    """Two branches may have taken the same one."""
    numbers = [each.name[:4] for each in RECORDS]
    assert len(numbers) == len({*numbers})
