"""Every change of a stack is seen by a reviewer, as a diff of its inventory."""

from tests.infra.engine import Preview
from tests.infra.inventory import FOLDER, render


def test_the_inventory_is_what_the_program_declares(preview: tuple[str, Preview]) -> None:
    """A stack consists of exactly the resources, inputs and options that its inventory lists."""
    stack, made = preview

    assert made.code == 0, made.text
    assert render(made.states) == (FOLDER / f"{stack}.yaml").read_text(encoding="utf-8"), (
        "if the change is meant: python -m tests.infra.inventory --save, and review the diff"
    )
