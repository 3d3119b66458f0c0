"""Schemas and their revisions: a topic takes what a revision of its range takes, and nothing else."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc.aio
import pytest
from google.api_core.exceptions import AlreadyExists, InvalidArgument, NotFound, ResourceExhausted
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import SchemaServiceAsyncClient
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcAsyncIOTransport
from google.pubsub_v1.types import (
    Encoding,
    ListSchemaRevisionsRequest,
    ListSchemasRequest,
    Schema,
    SchemaView,
    Topic,
    UpdateTopicRequest,
)

from tests.pubsub_emulator.bus import PROJECT, Bus, texts

OTHER_PROJECT = "projects/other"


def word(*names: str) -> str:
    """A definition in Avro: a record of texts."""
    fields = [{"name": name, "type": "string"} for name in names]
    return json.dumps({"type": "record", "name": "Word", "fields": fields})


def text(*names: str) -> str:
    """A message that fits `word(*names)` and no other."""
    return json.dumps(dict.fromkeys(names, "x"))


class SchemaClient:
    """A client of the schema service, with names that no other test uses."""

    def __init__(self, bus: Bus, channel: grpc.aio.Channel) -> None:
        self.client = SchemaServiceAsyncClient(transport=SchemaServiceGrpcAsyncIOTransport(channel=channel))
        self._bus = bus

    async def create(self, definition: str, parent: str = PROJECT) -> Schema:
        """Create a schema in Avro."""
        schema_id = self._bus.name("schemas").rpartition("/")[2]
        schema = Schema(type_=Schema.Type.AVRO, definition=definition)
        return await self.client.create_schema(parent=parent, schema_id=schema_id, schema=schema)

    async def commit(self, name: str, definition: str) -> Schema:
        """Commit a revision in Avro."""
        schema = Schema(name=name, type_=Schema.Type.AVRO, definition=definition)
        return await self.client.commit_schema(name=name, schema=schema)

    async def evolve(self, *definitions: str) -> list[Schema]:
        """Create a schema and commit further revisions; gives all of them."""
        first = await self.create(definitions[0])
        return [first, *[await self.commit(first.name, each) for each in definitions[1:]]]

    async def revisions(self, name: str, view: Any = SchemaView.FULL) -> list[Schema]:
        """Every revision, as it is listed."""
        request = ListSchemaRevisionsRequest(name=name, view=view)
        return [each async for each in await self.client.list_schema_revisions(request)]


@pytest.fixture
async def schemas(bus: Bus) -> AsyncIterator[SchemaClient]:
    """A client of the schema service of each server."""
    async with grpc.aio.insecure_channel(bus.address) as channel:
        yield SchemaClient(bus, channel)


async def _topic(bus: Bus, schema: str, first: str = "", last: str = "") -> str:
    settings = {"schema": schema, "encoding": Encoding.JSON}
    return await bus.topic(schema_settings={**settings, "first_revision_id": first, "last_revision_id": last})


async def _taken(bus: Bus, topic: str, data: Sequence[str]) -> list[str]:
    """Which of some messages a topic takes."""
    taken: list[str] = []
    for each in data:
        try:
            await bus.publish(topic, each)
        except InvalidArgument:
            continue
        taken.append(each)
    return taken


async def test_a_topic_takes_what_its_schema_takes(bus: Bus, schemas: SchemaClient) -> None:
    """A message that does not fit is refused with its whole request; one that fits names its revision."""
    (schema,) = await schemas.evolve(word("a"))
    topic = await _topic(bus, schema.name)
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
    topic = await _topic(bus, first.name)
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
    topic = await _topic(bus, revisions[0].name, first, last)

    assert await _taken(bus, topic, [text(name) for name in "abc"]) == [text(name) for name in taken]


async def test_an_open_range_takes_later_revisions(bus: Bus, schemas: SchemaClient) -> None:
    """A range without a last revision grows with the schema, one with a last revision does not."""
    first = await schemas.create(word("a"))
    growing = await _topic(bus, first.name, first.revision_id)
    closed = await _topic(bus, first.name, last=first.revision_id)
    whole = await _topic(bus, first.name)

    await schemas.commit(first.name, word("b"))

    assert await _taken(bus, growing, [text("a"), text("b")]) == [text("a"), text("b")]
    assert await _taken(bus, closed, [text("a"), text("b")]) == [text("a")]
    await schemas.client.delete_schema_revision(name=f"{first.name}@{first.revision_id}")
    assert await _taken(bus, whole, [text("a"), text("b")]) == [text("b")]


async def test_a_range_moves_by_an_update(bus: Bus, schemas: SchemaClient) -> None:
    """A mask may name the settings or one field of them; the other fields stay."""
    first, second = await schemas.evolve(word("a"), word("b"))
    topic = await _topic(bus, first.name)

    for path, field, value, taken in (
        ("schema_settings.first_revision_id", "first_revision_id", second.revision_id, "b"),
        ("schema_settings.first_revision_id", "first_revision_id", "", "ab"),
        ("schema_settings.last_revision_id", "last_revision_id", first.revision_id, "a"),
    ):
        change = Topic(name=topic, schema_settings={field: value})
        await bus.publisher.update_topic(
            UpdateTopicRequest(topic=change, update_mask=FieldMask(paths=[path]))
        )
        assert await _taken(bus, topic, [text("a"), text("b")]) == [text(name) for name in taken]

    request = UpdateTopicRequest(topic=Topic(name=topic), update_mask=FieldMask(paths=["schema_settings"]))
    assert "schema_settings" not in await bus.publisher.update_topic(request)
    assert await _taken(bus, topic, ["anything"]) == ["anything"]


async def test_a_range_whose_ends_are_deleted_keeps_what_is_between(bus: Bus, schemas: SchemaClient) -> None:
    """Messages that fit a remaining revision are taken, and other settings of the topic can change."""
    revisions = await schemas.evolve(word("a"), word("b"), word("c"), word("d"), word("e"))
    ends = revisions[1].revision_id, revisions[3].revision_id
    topic = await _topic(bus, revisions[0].name, *ends)

    for end in ends:
        await schemas.client.delete_schema_revision(name=f"{revisions[0].name}@{end}")

    assert await _taken(bus, topic, [text(name) for name in "abcde"]) == [text("c")]
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
    topic, other = await _topic(bus, schema.name), await bus.topic()
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
    topic = await _topic(bus, first.name, second.revision_id)

    copy = await schemas.client.rollback_schema(name=first.name, revision_id=first.revision_id)

    assert copy.revision_id not in (first.revision_id, second.revision_id)
    assert (copy.name, copy.type_, copy.definition) == (first.name, first.type_, first.definition)
    assert await schemas.client.get_schema(name=first.name) == copy
    assert len(await schemas.revisions(first.name)) == 3
    assert await _taken(bus, topic, [text("a"), text("b")]) == [text("a"), text("b")]
    with pytest.raises(NotFound):
        await schemas.client.rollback_schema(name=first.name, revision_id="00000000")
    with pytest.raises(InvalidArgument):
        await schemas.client.rollback_schema(name=first.name, revision_id="")


async def test_a_deleted_revision_is_gone_and_the_last_one_stays(bus: Bus, schemas: SchemaClient) -> None:
    """Messages are not held to it any more; a schema's only revision goes only with the schema."""
    first, second = await schemas.evolve(word("a"), word("b"))
    topic = await _topic(bus, first.name)

    deleted = await schemas.client.delete_schema_revision(name=f"{first.name}@{second.revision_id}")

    assert deleted == second
    assert await schemas.revisions(first.name) == [first]
    assert await schemas.client.get_schema(name=first.name) == first
    assert await _taken(bus, topic, [text("a"), text("b")]) == [text("a")]
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


async def test_a_definition_has_at_most_300_kilobytes(schemas: SchemaClient) -> None:
    """One byte more is refused."""
    definition = word("a")

    await schemas.create(definition.ljust(300_000))
    with pytest.raises(InvalidArgument):
        await schemas.create(definition.ljust(300_001))


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
