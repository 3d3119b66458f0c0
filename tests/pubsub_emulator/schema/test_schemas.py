"""Schemas: a topic takes what a revision of its range takes, and nothing else."""

from typing import Any

import pytest
from google.api_core.exceptions import AlreadyExists, InvalidArgument, NotFound
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1.types import (
    Encoding,
    ListSchemasRequest,
    Schema,
    Topic,
    UpdateTopicRequest,
)

from tests.pubsub_emulator.bus import PROJECT, Bus, texts
from tests.pubsub_emulator.schema.schema_client import (
    SchemaClient,
    taken_of,
    text,
    topic_of,
    word,
)


async def test_a_topic_takes_what_its_schema_takes(bus: Bus, schemas: SchemaClient) -> None:
    """A message that does not fit is refused with its whole request; one that fits names its revision."""
    (schema,) = await schemas.evolve(word("a"))
    topic = await topic_of(bus, schema.name)
    subscription = await bus.subscription(topic)

    with pytest.raises(InvalidArgument):
        await bus.publish(topic, text("a"), text("b"))
    await bus.publish(topic, text("a"), attributes={"b": "c"})

    (received,) = await bus.consume(subscription, 1)
    assert texts([received]) == [text("a")]
    assert dict(received.message.attributes) == {
        "b": "c",
        "googclient_schemaname": schema.name,
        "googclient_schemaencoding": "JSON",
        "googclient_schemarevisionid": schema.revision_id,
    }


async def test_a_message_fits_the_newest_revision_that_takes_it(bus: Bus, schemas: SchemaClient) -> None:
    """Google tries from the last revision of the range to the first."""
    first, _, newest, _ = await schemas.evolve(word("a"), word("b"), word("a"), word("c"))
    topic = await topic_of(bus, first.name)
    subscription = await bus.subscription(topic)

    await bus.publish(topic, text("a"))

    (received,) = await bus.consume(subscription, 1)
    assert received.message.attributes["googclient_schemarevisionid"] == newest.revision_id


@pytest.mark.parametrize(
    ("ends", "taken"),
    [
        ((None, None), "abc"),
        ((1, None), "bc"),
        ((None, 1), "ab"),
        ((1, 1), "b"),
        ((0, 2), "abc"),
        ((2, None), "c"),
        ((None, 0), "a"),
    ],
)
async def test_a_topic_takes_what_fits_a_revision_of_its_range(
    bus: Bus, schemas: SchemaClient, ends: tuple[int | None, int | None], taken: str
) -> None:
    """Both ends belong to the range, and an end that is not set leaves it open."""
    revisions = await schemas.evolve(word("a"), word("b"), word("c"))
    first, last = ("" if end is None else revisions[end].revision_id for end in ends)
    topic = await topic_of(bus, revisions[0].name, first, last)

    assert await taken_of(bus, topic, [text(name) for name in "abc"]) == [text(name) for name in taken]


async def test_an_open_range_takes_later_revisions(bus: Bus, schemas: SchemaClient) -> None:
    """A range without a last revision grows with the schema, one with a last revision does not."""
    first = await schemas.create(word("a"))
    growing = await topic_of(bus, first.name, first.revision_id)
    closed = await topic_of(bus, first.name, last=first.revision_id)
    whole = await topic_of(bus, first.name)

    await schemas.commit(first.name, word("b"))

    assert await taken_of(bus, growing, [text("a"), text("b")]) == [text("a"), text("b")]
    assert await taken_of(bus, closed, [text("a"), text("b")]) == [text("a")]
    await schemas.client.delete_schema_revision(name=f"{first.name}@{first.revision_id}")
    assert await taken_of(bus, whole, [text("a"), text("b")]) == [text("b")]


async def test_a_range_moves_by_an_update(bus: Bus, schemas: SchemaClient) -> None:
    """A mask may name the settings or one field of them; the other fields stay."""
    first, second = await schemas.evolve(word("a"), word("b"))
    topic = await topic_of(bus, first.name)

    for path, field, value, taken in (
        ("schema_settings.first_revision_id", "first_revision_id", second.revision_id, "b"),
        ("schema_settings.first_revision_id", "first_revision_id", "", "ab"),
        ("schema_settings.last_revision_id", "last_revision_id", first.revision_id, "a"),
    ):
        change = Topic(name=topic, schema_settings={field: value})
        await bus.publisher.update_topic(
            UpdateTopicRequest(topic=change, update_mask=FieldMask(paths=[path]))
        )
        assert await taken_of(bus, topic, [text("a"), text("b")]) == [text(name) for name in taken]

    request = UpdateTopicRequest(topic=Topic(name=topic), update_mask=FieldMask(paths=["schema_settings"]))
    assert "schema_settings" not in await bus.publisher.update_topic(request)
    assert await taken_of(bus, topic, ["anything"]) == ["anything"]


async def test_a_range_whose_ends_are_deleted_keeps_what_is_between(bus: Bus, schemas: SchemaClient) -> None:
    """Messages that fit a remaining revision are taken, and other settings of the topic can change."""
    revisions = await schemas.evolve(word("a"), word("b"), word("c"), word("d"), word("e"))
    ends = revisions[1].revision_id, revisions[3].revision_id
    topic = await topic_of(bus, revisions[0].name, *ends)

    for end in ends:
        await schemas.client.delete_schema_revision(name=f"{revisions[0].name}@{end}")

    assert await taken_of(bus, topic, [text(name) for name in "abcde"]) == [text("c")]
    request = UpdateTopicRequest(
        topic=Topic(name=topic, labels={"a": "b"}), update_mask=FieldMask(paths=["labels"])
    )
    assert (await bus.publisher.update_topic(request)).labels == {"a": "b"}


@pytest.mark.parametrize("encoding", [Encoding.ENCODING_UNSPECIFIED, Encoding.JSON])
async def test_schema_settings_name_what_there_is(
    bus: Bus, schemas: SchemaClient, encoding: Encoding
) -> None:
    """A schema, an encoding, and revisions in their order; a topic with others is not made."""
    first, second = await schemas.evolve(word("a"), word("b"))
    right = {"schema": first.name, "encoding": Encoding.JSON}
    missing = bus.name("schemas")
    cases: list[tuple[dict[str, Any], type[Exception]]] = [
        ({**right, "schema": missing}, NotFound),
        ({**right, "first_revision_id": "00000000"}, NotFound),
        ({**right, "last_revision_id": "00000000"}, NotFound),
        ({"encoding": Encoding.JSON}, InvalidArgument),
        (
            {
                **right,
                "first_revision_id": second.revision_id,
                "last_revision_id": first.revision_id,
            },
            InvalidArgument,
        ),
    ]
    if encoding != Encoding.JSON:
        cases = [({**right, "encoding": encoding}, InvalidArgument)]
    topic = await bus.topic()
    for settings, error in cases:
        with pytest.raises(error):
            await bus.topic(schema_settings=settings)
        with pytest.raises(error):
            await bus.publisher.update_topic(
                UpdateTopicRequest(
                    topic=Topic(name=topic, schema_settings=settings),
                    update_mask=FieldMask(paths=["schema_settings"]),
                )
            )
    assert "schema_settings" not in await bus.publisher.get_topic(topic=topic)


async def test_a_topic_without_its_schema_takes_nothing(bus: Bus, schemas: SchemaClient) -> None:
    """The topic names the schema as deleted and refuses messages; its other settings can change."""
    schema = await schemas.create(word("a"))
    topic, other = await topic_of(bus, schema.name), await bus.topic()
    await schemas.client.delete_schema(name=schema.name)

    assert (await bus.publisher.get_topic(topic=topic)).schema_settings.schema == "_deleted-schema_"
    with pytest.raises(NotFound):
        await bus.publish(topic, text("a"))
    with pytest.raises(NotFound):
        await schemas.client.get_schema(name=schema.name)
    request = UpdateTopicRequest(topic=Topic(name=topic), update_mask=FieldMask(paths=["labels"]))
    await bus.publisher.update_topic(request)
    for settings in ({"schema": schema.name}, {"schema": "_deleted-schema_"}):
        with pytest.raises((NotFound, InvalidArgument)):
            await bus.publisher.update_topic(
                UpdateTopicRequest(
                    topic=Topic(name=other, schema_settings={**settings, "encoding": Encoding.JSON}),
                    update_mask=FieldMask(paths=["schema_settings"]),
                )
            )


async def test_a_definition_has_at_most_300_kilobytes(schemas: SchemaClient) -> None:
    """One byte more is refused."""
    definition = word("a")

    await schemas.create(definition.ljust(300_000))
    with pytest.raises(InvalidArgument):
        await schemas.create(definition.ljust(300_001))


async def test_schemas_are_listed_and_named_once(bus: Bus, schemas: SchemaClient) -> None:
    """In pages, those of the project and no others; a name is taken once and cannot begin with goog."""
    project = f"projects/{bus.name('schemas').rpartition('/')[2]}"
    made = [(await schemas.create(word("a"), project)).name for _ in range(3)]
    await schemas.create(word("a"))

    pages = await schemas.client.list_schemas(ListSchemasRequest(parent=project, page_size=2))
    found = [[each.name for each in page.schemas] async for page in pages.pages]

    assert [len(page) for page in found] == [2, 1]
    assert sorted(name for page in found for name in page) == sorted(made)
    schema = Schema(type_=Schema.Type.AVRO, definition=word("a"))
    with pytest.raises(AlreadyExists):
        await schemas.client.create_schema(
            parent=project, schema_id=made[0].rpartition("/")[2], schema=schema
        )
    for schema_id in ("googabc", "ab", "a@b"):
        with pytest.raises(InvalidArgument):
            await schemas.client.create_schema(parent=project, schema_id=schema_id, schema=schema)


async def test_a_project_is_named_as_one(schemas: SchemaClient) -> None:
    """INVALID_ARGUMENT from the calls that name a project alone."""
    schema = Schema(type_=Schema.Type.AVRO, definition=word("a"))
    with pytest.raises(InvalidArgument):
        await schemas.client.list_schemas(ListSchemasRequest(parent="other"))
    with pytest.raises(InvalidArgument):
        await schemas.client.validate_schema(parent="other", schema=schema)
    with pytest.raises(InvalidArgument):
        await schemas.client.create_schema(parent="other", schema_id="abc", schema=schema)
    with pytest.raises(InvalidArgument):
        await schemas.client.validate_message(
            {"parent": "other", "schema": schema, "message": text("a").encode(), "encoding": Encoding.JSON}
        )


@pytest.mark.parametrize("at", ["newest", "first", "ad hoc"])
async def test_a_message_is_validated_against_a_schema(schemas: SchemaClient, at: str) -> None:
    """By name, by the name of a revision, or ad hoc; what does not fit is INVALID_ARGUMENT."""
    first, second = await schemas.evolve(word("a"), word("b"))
    cases: dict[str, tuple[dict[str, Any], str, str]] = {
        "newest": ({"name": first.name}, text("b"), text("a")),
        "first": ({"name": f"{first.name}@{first.revision_id}"}, text("a"), text("b")),
        "ad hoc": ({"schema": {"type_": "AVRO", "definition": word("c")}}, text("c"), text("a")),
    }
    spec, right, wrong = cases[at]
    request = {"parent": PROJECT, "encoding": Encoding.JSON, **spec}

    await schemas.client.validate_message({**request, "message": right.encode()})
    for change in (
        {"message": wrong.encode()},
        {"message": right.encode(), "encoding": Encoding.ENCODING_UNSPECIFIED},
        {"message": b"\x00"},
    ):
        with pytest.raises(InvalidArgument):
            await schemas.client.validate_message({**request, **change})
    await schemas.client.validate_message({**request, "message": b"\x02x", "encoding": Encoding.BINARY})
    assert second.name == first.name


async def test_a_message_is_validated_against_what_there_is(bus: Bus, schemas: SchemaClient) -> None:
    """NOT_FOUND for a schema or a revision that is none, INVALID_ARGUMENT for neither name nor schema."""
    schema = await schemas.create(word("a"))
    request = {"parent": PROJECT, "encoding": Encoding.JSON, "message": text("a").encode()}

    for name in (bus.name("schemas"), f"{schema.name}@00000000"):
        with pytest.raises(NotFound):
            await schemas.client.validate_message({**request, "name": name})
    with pytest.raises(InvalidArgument):
        await schemas.client.validate_message(request)


async def test_a_definition_is_validated_and_not_kept(schemas: SchemaClient) -> None:
    """ValidateSchema says of a definition what CreateSchema would."""
    schema = Schema(type_=Schema.Type.AVRO, definition=word("a"))

    await schemas.client.validate_schema(parent=PROJECT, schema=schema)

    for wrong in (Schema(type_=Schema.Type.AVRO, definition="{}"), Schema(definition=word("a")), Schema()):
        with pytest.raises(InvalidArgument):
            await schemas.client.validate_schema(parent=PROJECT, schema=wrong)
