"""The page of the pictures shows what the program makes, and names the file of every resource."""

import re
from pathlib import Path

import pytest

from tests.event_store_infra.engine import Engine, Preview
from tests.event_store_infra.inventory.pictures import PAGE, draw
from tools import ROOT
from tools.pictures import resources


async def test_the_page_is_drawn_from_the_plans(engine: Engine) -> None:
    """`docs/explanation/infra.md` is what `make inventory` draws from the engine's plans of today."""
    assert PAGE.read_text(encoding="utf-8") == await draw(engine), "if the change is meant: make inventory"


def test_every_resource_has_its_file(preview: tuple[str, Preview]) -> None:
    """Whatever a stack has, the page names it and the component's file that makes it."""
    _, made = preview
    text = PAGE.read_text(encoding="utf-8")
    for each in resources(made.states):
        rows = re.findall(rf"^\| {each.component} \|.*`{re.escape(each.name)}`.*$", text, re.MULTILINE)

        assert each.file.startswith("infra/event_store_infra/components/")
        assert [row for row in rows if f"[`{each.file}`]" in row]


@pytest.mark.parametrize("name", sorted({*re.findall(r"\]\(\.\./\.\./([^)]+)\)", PAGE.read_text())}))
def test_every_link_leads_somewhere(name: str) -> None:
    """Each file that the page names exists."""
    assert (ROOT / Path(name)).exists()
