"""Every property of every type is classified: one that a new provider brings fails here until it is."""

import json
import re
from pathlib import Path

import pytest

from event_store_infra.preview.effects import TABLES, table_of
from event_store_infra.preview.effects.effect import HARMLESS
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.report.summary import render
from tests.event_store_infra import inventory
from tests.event_store_infra.preview.edits import EDITS
from tests.event_store_infra.preview.edits.plans import kept
from tests.event_store_infra.preview.effects.changed import changed
from tests.event_store_infra.preview.effects.properties import properties_of

NAMED = sorted(kind for kind, table in TABLES.items() if table.rest is None)


@pytest.mark.parametrize("kind", NAMED)
def test_each_property_of_the_sdk_is_in_the_table(kind: str) -> None:
    """None is missing, and none is there that the SDK does not have any more."""
    table, properties = TABLES[kind], properties_of(kind)

    assert sorted(properties - table.properties.keys()) == []
    assert sorted(table.properties.keys() - properties) == []
    assert [
        each for each in table.blocks if not any(name.startswith(f"{each}.") for name in properties)
    ] == []


def test_each_type_that_a_stack_makes_has_a_table() -> None:
    """What a component makes from now on, in an inventory or in a plan of an edit, fails here without one."""
    inventories = [*Path(inventory.__file__).parent.rglob("*.yaml")]
    listed = {
        kind for each in inventories for kind in re.findall(r"\b[a-z][\w-]*:[\w/]+:\w+", each.read_text())
    }
    planned = {
        step["urn"].split("::")[2].rpartition("$")[2]
        for edit in EDITS
        for step in json.loads(kept(edit)).get("steps", ())
    }
    kinds = {each for each in listed | planned if not each.startswith(("pulumi:", "event-store:"))}

    assert {"gcp:pubsub/topic:Topic", "docker-build:index:Image"} <= kinds
    assert len(inventories) >= 5
    assert sorted(each for each in kinds if table_of(each) is None) == []


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_a_property_that_no_table_names_is_named(kind: str) -> None:
    """It is told by its name and counts as less safe, unless nobody depends on anything of the type."""
    plan = changed(kind, "brandNew.part", 1, 2)
    verdict = judge(plan)

    if TABLES[kind].rest is None and TABLES[kind].made == HARMLESS:
        assert [each.change.path for each in verdict.notes if each.change] == ["brandNew.part"]
        assert "loses no data, but 1 change is less safe" in render("prod", plan, verdict)
        assert "nobody has said what a change of it does" in render("prod", plan, verdict)
    assert verdict.passes


@pytest.mark.parametrize("kind", NAMED)
def test_a_difference_that_no_value_shows_is_named(kind: str) -> None:
    """As of a secret, which the engine has blinded before and after, or of what only the provider sees."""
    for value in ("[secret]", 1):
        verdict = judge(changed(kind, "brandNew", value, value))

        assert "brandNew" in [each.change.path for each in verdict.notes if each.change]
