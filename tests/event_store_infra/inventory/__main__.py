"""Write the inventories and the page of pictures: `python -m tests.event_store_infra.inventory --save`."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from tests.event_store_infra.engine import Engine, google_cloud
from tests.event_store_infra.inventory import FOLDER, STACKS, VARIANT_FOLDER, render
from tests.event_store_infra.inventory.pictures import PAGE, draw
from tests.event_store_infra.inventory.variants import render_variants


async def save(folder: Path) -> None:
    """Preview every stack, keeping the engine's state in a folder, and write and draw what it consists of."""
    async with google_cloud(folder) as providers:
        engine = Engine(folder, providers)
        for stack in STACKS:
            preview = await engine.preview(stack)
            if preview.code:
                raise SystemExit(preview.text)
            (FOLDER / f"{stack}.yaml").write_text(render(preview.states), encoding="utf-8")
        for name, text in (await render_variants(engine)).items():
            (VARIANT_FOLDER / f"{name}.yaml").write_text(text, encoding="utf-8")
        PAGE.write_text(await draw(engine), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.event_store_infra.inventory", description=__doc__)
    parser.add_argument("--save", action="store_true", required=True, help="write the files")
    parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(save(Path(temporary)))
