"""Create the tables, apply events to them, and read them."""

import re
from pathlib import Path
from typing import Any, Final

from psycopg import AsyncConnection

from event_store import RecordedEvent

# Each statement in the file follows a line `-- name: NAME`.
_STATEMENTS: Final = re.split(
    rb"^-- name: (\w+)$", Path(__file__).with_name("queries.sql").read_bytes(), flags=re.MULTILINE
)[1:]
_QUERIES: Final = dict(zip(map(bytes.decode, _STATEMENTS[::2]), _STATEMENTS[1::2], strict=True))


async def create(connection: AsyncConnection[Any]) -> None:
    """Create the tables unless they exist."""
    await connection.execute(_QUERIES["create_tables"])


async def project(connection: AsyncConnection[Any], event: RecordedEvent) -> None:
    """Apply an event to the tables. The library applies each event once, in order."""
    data = event.event_data
    match event.event_type:
        case "VocabularyAdded":
            values = (event.aggregate_id, data["name"], data["language"])
            await connection.execute(_QUERIES["add_vocabulary"], values)
        case "WordAdded":
            values = (event.aggregate_id, data["word"], data["meaning"])
            await connection.execute(_QUERIES["add_word"], values)
        case "WordRemoved":
            await connection.execute(_QUERIES["remove_word"], (event.aggregate_id, data["word"]))


async def show(
    connection: AsyncConnection[Any], vocabulary_id: str | None = None
) -> list[tuple[str, str, str | None, str | None]]:
    """Return a row per word: vocabulary, language, word, meaning; one without a word if there is none.

    Args:
        connection: A connection to the tables' database.
        vocabulary_id: Return only this vocabulary; None returns all.
    """
    cursor = await connection.execute(_QUERIES["show"], {"vocabulary_id": vocabulary_id})
    return await cursor.fetchall()
