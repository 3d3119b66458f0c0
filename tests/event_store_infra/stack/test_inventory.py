"""Every change of a stack is seen by a reviewer, as a diff of its inventory."""

from tests.event_store_infra.engine import Engine, Preview
from tests.event_store_infra.inventory import FOLDER, VARIANT_FOLDER, render
from tests.event_store_infra.inventory.variants import render_variants


def test_the_inventory_is_what_the_program_declares(preview: tuple[str, Preview]) -> None:
    """A stack consists of exactly the resources, inputs and options that its inventory lists."""
    stack, made = preview

    assert made.code == 0, made.text
    assert render(made.states) == (FOLDER / f"{stack}.yaml").read_text(encoding="utf-8"), (
        "if the change is meant: python -m tests.event_store_infra.inventory --save, and review the diff"
    )


async def test_what_no_stack_of_ours_asks_for_is_reviewed_too(engine: Engine) -> None:
    """AlloyDB, replicas, endpoints, restored logs, joined networks, the whole bus, the bootstrap."""
    kept = {path.stem: path.read_text(encoding="utf-8") for path in VARIANT_FOLDER.glob("*.yaml")}

    assert await render_variants(engine) == kept, (
        "if the change is meant: python -m tests.event_store_infra.inventory --save, and review the diff"
    )
