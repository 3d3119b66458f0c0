"""Cloud SQL's instances, and their administrator's connections."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, Self

import psycopg
from psycopg import sql

from local_gcp.resource.errors import CloudError

ADMINISTRATORS: Final = "cloudsqlsuperuser"
CONNECT_SECONDS: Final = 10


class Instances(ABC):
    """All instances of the local Google Cloud, by name."""

    async def __aenter__(self) -> Self:
        return self

    @abstractmethod
    async def __aexit__(self, *_: object) -> None: ...

    @abstractmethod
    async def start(self, instance: str, flags: Mapping[str, str]) -> None:
        """Start an instance, with the data of an earlier one of that name. Starting it twice is harmless.

        Raises:
            SetupError: The instance cannot run on this machine; the message says what to change.
        """

    @abstractmethod
    async def copy(self, source: str, instance: str, *, follows: bool = False) -> None:
        """Replace a stopped instance's data by a copy of a running one's.

        Args:
            source: The running instance.
            instance: The stopped instance.
            follows: Whether the copy is a read-only replica of the source from then on.

        Raises:
            CloudError: The source does not exist.
            SetupError: The source cannot be copied on this machine; the message says what to change.
        """

    @abstractmethod
    async def stop(self, instance: str) -> None:
        """Stop an instance and keep its data. Stopping it twice is harmless."""

    @abstractmethod
    async def variables(self, instance: str) -> dict[str, str]:
        """Return libpq's variables that reach an instance from this machine."""

    def password_of(self, _user: str) -> str | None:
        """Return the password of a role with a Google identity; None where all connections are trusted."""
        return None

    @abstractmethod
    def conninfo(self, instance: str, user: str | None, database: str) -> str:
        """Return the connection string of a user, or of the administrator for None."""

    async def execute(
        self, instance: str, *statements: sql.SQL | sql.Composed, database: str = "postgres"
    ) -> None:
        """Run statements as the administrator, each in a transaction of its own.

        Raises:
            CloudError: PostgreSQL rejects a statement.
        """
        await asyncio.to_thread(self._execute, instance, statements, database)

    async def query(self, instance: str, question: sql.SQL | sql.Composed) -> list[tuple[Any, ...]]:
        """Return the rows of a query in the administrator's database."""
        return await asyncio.to_thread(self._execute, instance, (question,), "postgres")

    async def has_role(self, instance: str, name: str) -> bool:
        """Tell whether an instance has a role of that name."""
        question = sql.SQL("SELECT 1 FROM pg_roles WHERE rolname = {}").format(sql.Literal(name))
        return bool(await self.query(instance, question))

    def _execute(
        self, instance: str, statements: tuple[sql.SQL | sql.Composed, ...], database: str
    ) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(
                self.conninfo(instance, None, database), autocommit=True, connect_timeout=CONNECT_SECONDS
            ) as connection:
                for statement in statements:
                    cursor = connection.execute(statement)
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise CloudError(f"googleapi: Error 400: Invalid request: {str(error).strip()}") from error
