"""A reader of the documents finds what they link to, and every page from the index."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.processes import ROOT

FOLDERS: Final = ("docs", "examples", "infra", "local", "service")
PAGES: Final = [*ROOT.glob("*.md"), *(page for each in FOLDERS for page in (ROOT / each).rglob("*.md"))]
INDEX: Final = ROOT / "docs" / "README.md"


def _links(page: Path) -> list[str]:
    """Return the links of a page to files and headings, without those to the web."""
    return [
        each
        for each in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
        if not re.match(r"https?:|mailto:", each)
    ]


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_its_heading(page: Path) -> None:
    """A page or a heading that gets another name takes its links along."""
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in _anchors(target), link


def test_every_page_that_a_text_names_is_there() -> None:
    """Also where it is no link, as in the changelog."""
    named = {
        (str(page.relative_to(ROOT)), path)
        for page in PAGES
        for path in re.findall(r"(?<![\w./-])docs/[\w./-]+\.md\b", page.read_text("utf-8"))
    }

    assert "CHANGELOG.md" in {page for page, _ in named}
    assert [f"{page}: {path}" for page, path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_index_has_every_page() -> None:
    """Each page of a shelf; the decisions are a folder of their own."""
    linked = {(INDEX.parent / link.partition("#")[0]).resolve() for link in _links(INDEX)}
    pages = {*INDEX.parent.rglob("*.md")} - {INDEX, *(INDEX.parent / "adr").glob("*.md")}

    assert pages - linked == set()
