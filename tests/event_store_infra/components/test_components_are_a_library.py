"""Another team's Pulumi program can use a component by itself."""

import asyncio
import sys
from pathlib import Path

from tests.event_store_infra.engine import Engine


async def test_another_program_takes_one_component(engine: Engine) -> None:
    """The event bus comes with its dead letters and grants, and with nothing of the rest of our stack."""
    project = Path(__file__).parent / "other_team"
    preview = await engine.preview(
        "test", project=project, config="config: {gcp:project: other-team, gcp:region: europe-west1}"
    )

    assert preview.code == 0, preview.text
    assert {name for name, state in preview.states.items() if state.get("custom")} == {
        "orders-agent",
        "orders-invoices-dead-letter",
        "orders-invoices-dead-letter-publisher",
        "orders-invoices-dead-letter-subscription",
        "orders-invoices-subscriber",
        "orders-invoices-subscription",
        "orders-orders",
    }


async def test_the_program_starts_without_the_slow_module() -> None:
    """A preview waits for no module of the SDK that takes longer to import than all the rest together."""
    code = "import sys, event_store_infra.stack; print('pulumi_gcp.compute._inputs' in sys.modules)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()

    assert output.decode().strip() == "False"
