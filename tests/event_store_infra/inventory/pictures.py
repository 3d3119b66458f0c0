"""The page of the pictures, from the plans of `prod` and of stacks that ask for what it does not."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from tests.event_store_infra.engine import Engine
from tests.event_store_infra.inventory.variants import (
    BY_ENDPOINT,
    JOINED,
    ON_ALLOYDB,
    WHOLE,
    file_of_prod,
    preview_bootstrap,
)
from tools import ROOT
from tools.pictures import Resource, page, resources

PAGE: Final = ROOT / "docs" / "explanation" / "infra.md"


async def draw(engine: Engine) -> str:
    """Return the page."""
    others = [await _plan(engine, changes) for changes in (JOINED, ON_ALLOYDB, BY_ENDPOINT)]
    bootstrap = await preview_bootstrap(engine)
    return page(
        await _plan(engine, {}), await _plan(engine, WHOLE), chain(*others), resources(bootstrap.states)
    )


async def _plan(engine: Engine, changes: dict[str, Any]) -> Sequence[Resource]:
    preview = await engine.preview("prod", config=file_of_prod(changes))
    assert preview.code == 0, preview.text
    return resources(preview.states)
