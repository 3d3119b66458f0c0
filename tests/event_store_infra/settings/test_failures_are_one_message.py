"""A mistake in a stack's file ends the real engine's run with one message and nothing declared."""

from tests.event_store_infra.engine import Engine
from tools import ROOT


async def _refused(engine: Engine, wrong: str) -> str:
    """Preview the stack `local` with one wrong line in its file and return what the engine wrote."""
    text = (ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8")
    preview = await engine.preview("local", config=f"{text}  {wrong}\n")

    assert preview.code != 0
    assert not [name for name, state in preview.states.items() if not state["type"].startswith("pulumi:")]
    assert "Traceback" not in preview.text
    assert "unhandled" not in preview.text
    return preview.text


async def test_an_unknown_key_is_one_message(engine: Engine) -> None:
    """The message names the key, the likely one and the known ones."""
    text = await _refused(engine, "event-store:prefx: orders")

    assert (
        "event-store:prefx is not a setting (did you mean prefix?); known are acknowledged, alloydb, database"
        in text
    )


async def test_an_impossible_value_is_one_message(engine: Engine) -> None:
    """The message names the key, the value and the range."""
    text = await _refused(engine, "event-store:network: {services_prefix_length: 30}")

    assert "event-store:network.services_prefix_length is 30, but must be 16 to 24 bits" in text


async def test_a_topology_that_is_not_there_is_one_message(engine: Engine) -> None:
    """The message names the file and what to give."""
    assert "bus.yaml: the file cannot be read" in await _refused(engine, "event-store:topology: bus.yaml")
