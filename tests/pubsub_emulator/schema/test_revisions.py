"""Revisions of a schema: committed, listed, rolled back and deleted."""

import pytest
from google.api_core.exceptions import InvalidArgument, NotFound, ResourceExhausted
from google.pubsub_v1.types import (
    ListSchemaRevisionsRequest,
    ListSchemasRequest,
    Schema,
    SchemaView,
)

from tests.pubsub_emulator.bus import PROJECT, Bus
from tests.pubsub_emulator.schema.schema_client import (
    OTHER_PROJECT,
    SchemaClient,
    taken_of,
    text,
    topic_of,
    word,
)


async def test_a_view_shows_the_definition_or_not(schemas: SchemaClient) -> None:
    """GetSchema shows it unless BASIC is asked for, the lists only if FULL is asked for."""
    schema = await schemas.create(word("a"), OTHER_PROJECT)
    basic = Schema(schema)
    basic.definition = ""
    for view, expected in (
        (SchemaView.SCHEMA_VIEW_UNSPECIFIED, schema),
        (SchemaView.FULL, schema),
        (SchemaView.BASIC, basic),
    ):
        assert await schemas.client.get_schema({"name": schema.name, "view": view}) == expected
    for view, expected in (
        (SchemaView.SCHEMA_VIEW_UNSPECIFIED, basic),
        (SchemaView.FULL, schema),
        (SchemaView.BASIC, basic),
    ):
        listed = await schemas.client.list_schemas(ListSchemasRequest(parent=OTHER_PROJECT, view=view))
        assert expected in [each async for each in listed]
        assert await schemas.revisions(schema.name, view) == [expected]


async def test_a_schema_is_its_newest_revision_and_each_has_its_own_name(schemas: SchemaClient) -> None:
    """SCHEMA is the newest one, SCHEMA@REVISION is that one, of eight hexadecimal digits."""
    revisions = await schemas.evolve(word("a"), word("b"), word("c"))
    name = revisions[0].name

    assert await schemas.client.get_schema(name=name) == revisions[-1]
    for revision in revisions:
        assert revision.name == name
        assert len(revision.revision_id) == 8
        assert int(revision.revision_id, 16) >= 0
        assert await schemas.client.get_schema(name=f"{name}@{revision.revision_id}") == revision
    listed = await schemas.client.list_schemas(ListSchemasRequest(parent=PROJECT, view=SchemaView.FULL))
    assert [each async for each in listed if each.name == name] == revisions[-1:]
    with pytest.raises(NotFound):
        await schemas.client.get_schema(name=f"{name}@00000000")


async def test_revisions_are_listed_newest_first_in_pages(schemas: SchemaClient) -> None:
    """AIP-162 has the order; a page goes on where the one before ended, also when that was deleted."""
    *_, third, second, first = revisions = [*reversed(await schemas.evolve(*map(word, "abcde")))]
    request = ListSchemaRevisionsRequest(name=first.name, page_size=2, view=SchemaView.FULL)

    assert await schemas.revisions(first.name) == revisions
    pages = await schemas.client.list_schema_revisions(request)
    found: list[list[Schema]] = []
    async for page in pages.pages:
        found.append(list(page.schemas))
        if page.schemas[-1] == second:
            await schemas.client.delete_schema_revision(name=f"{second.name}@{second.revision_id}")
    assert found == [revisions[:2], [third, second], [first]]


async def test_a_rollback_copies_a_revision(bus: Bus, schemas: SchemaClient) -> None:
    """The copy is a new revision, the newest one, with the definition of the old one."""
    first, second = await schemas.evolve(word("a"), word("b"))
    topic = await topic_of(bus, first.name, second.revision_id)

    copy = await schemas.client.rollback_schema(name=first.name, revision_id=first.revision_id)

    assert copy.revision_id not in (first.revision_id, second.revision_id)
    assert (copy.name, copy.type_, copy.definition) == (first.name, first.type_, first.definition)
    assert await schemas.client.get_schema(name=first.name) == copy
    assert len(await schemas.revisions(first.name)) == 3
    assert await taken_of(bus, topic, [text("a"), text("b")]) == [text("a"), text("b")]
    with pytest.raises(NotFound):
        await schemas.client.rollback_schema(name=first.name, revision_id="00000000")
    with pytest.raises(InvalidArgument):
        await schemas.client.rollback_schema(name=first.name, revision_id="")


async def test_a_deleted_revision_is_gone_and_the_last_one_stays(bus: Bus, schemas: SchemaClient) -> None:
    """Messages are not held to it any more; a schema's only revision goes only with the schema."""
    first, second = await schemas.evolve(word("a"), word("b"))
    topic = await topic_of(bus, first.name)

    deleted = await schemas.client.delete_schema_revision(name=f"{first.name}@{second.revision_id}")

    assert deleted == second
    assert await schemas.revisions(first.name) == [first]
    assert await schemas.client.get_schema(name=first.name) == first
    assert await taken_of(bus, topic, [text("a"), text("b")]) == [text("a")]
    with pytest.raises(NotFound):
        await schemas.client.get_schema(name=f"{first.name}@{second.revision_id}")
    with pytest.raises((InvalidArgument, NotFound)):
        await schemas.client.delete_schema_revision(name=f"{first.name}@{second.revision_id}")
    with pytest.raises(InvalidArgument):
        await schemas.client.delete_schema_revision(name=f"{first.name}@{first.revision_id}")
    with pytest.raises((InvalidArgument, NotFound)):  # the field revision_id is not for this
        await schemas.client.delete_schema_revision({"name": first.name, "revision_id": first.revision_id})
    assert await schemas.revisions(first.name) == [first]


async def test_a_schema_has_at_most_20_revisions(schemas: SchemaClient) -> None:
    """RESOURCE_EXHAUSTED, for a rollback too, until one is deleted."""
    first, *rest = await schemas.evolve(*[word(f"a{n}") for n in range(20)])

    with pytest.raises(ResourceExhausted):
        await schemas.commit(first.name, word("b"))
    with pytest.raises(ResourceExhausted):
        await schemas.client.rollback_schema(name=first.name, revision_id=first.revision_id)
    await schemas.client.delete_schema_revision(name=f"{first.name}@{rest[3].revision_id}")
    await schemas.commit(first.name, word("b"))

    assert len(await schemas.revisions(first.name)) == 20


async def test_a_revision_of_another_type_or_without_a_definition_is_refused(schemas: SchemaClient) -> None:
    """And the schema keeps the revisions that it had."""
    first = await schemas.create(word("a"))
    for definition in ("", "{}", '{"type": "record", "name": "Word"}', "string", "["):
        with pytest.raises(InvalidArgument):
            await schemas.commit(first.name, definition)
        with pytest.raises(InvalidArgument):
            await schemas.create(definition)
    with pytest.raises(InvalidArgument):
        await schemas.client.commit_schema(name=first.name, schema=Schema(definition=word("a")))
    assert await schemas.revisions(first.name) == [first]


async def test_the_name_of_a_revision_is_for_a_revision(schemas: SchemaClient) -> None:
    """Calls of the whole schema refuse SCHEMA@REVISION, and what is no schema's name."""
    first, second = await schemas.evolve(word("a"), word("b"))
    for name in (f"{first.name}@{first.revision_id}", first.name.replace("schemas", "topics"), "abc"):
        with pytest.raises(InvalidArgument):
            await schemas.commit(name, word("c"))
        with pytest.raises(InvalidArgument):
            await schemas.client.rollback_schema(name=name, revision_id=first.revision_id)
        with pytest.raises(InvalidArgument):
            await schemas.revisions(name)
        with pytest.raises(InvalidArgument):
            await schemas.client.delete_schema(name=name)
    assert {each.revision_id for each in await schemas.revisions(first.name)} == {
        first.revision_id,
        second.revision_id,
    }


async def test_the_server_names_and_dates_a_revision(schemas: SchemaClient) -> None:
    """What the caller says of a revision's id and name is not heard."""
    first = await schemas.create(word("a"))
    other = Schema(
        name=f"{PROJECT}/schemas/other",
        type_=Schema.Type.AVRO,
        definition=word("b"),
        revision_id="11111111",
    )

    made = await schemas.client.commit_schema(name=first.name, schema=other)

    assert made.name == first.name
    assert made.revision_id not in ("11111111", first.revision_id)
    assert "revision_create_time" in made
