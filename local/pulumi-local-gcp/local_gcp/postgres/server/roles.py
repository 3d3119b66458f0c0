"""Login roles of PostgreSQL, for the users of Cloud SQL and AlloyDB."""

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from local_gcp.postgres.server.instances import Instances
from local_gcp.resource.errors import CloudError


async def make_user(
    instances: Instances,
    instance: str,
    name: str,
    roles: Sequence[str],
    *,
    rights: str = "NOCREATEROLE NOCREATEDB",
    password: str | None = None,
) -> None:
    """Create a login role, or adopt one left by an earlier instance of the same name.

    Args:
        instances: All instances.
        instance: The instance to create the role in.
        name: The role's name.
        roles: All of its memberships from now on; any others are revoked.
        rights: The role's attributes in `CREATE ROLE`.
        password: The role's password; None where all connections are trusted.

    Raises:
        CloudError: One of `roles` does not exist.
    """
    for role in roles:
        if not await instances.has_role(instance, role):
            raise CloudError(
                f'googleapi: Error 400: Invalid request: database role "{role}" does not exist., invalid'
            )
    held = await _names(
        instances,
        instance,
        "SELECT held.rolname FROM pg_auth_members JOIN pg_roles held ON held.oid = roleid"
        " JOIN pg_roles holder ON holder.oid = member WHERE holder.rolname = {}",
        name,
    )
    words: dict[str, Any] = {
        "name": sql.Identifier(name),
        "verb": sql.SQL("ALTER" if await instances.has_role(instance, name) else "CREATE"),
        "rights": sql.SQL(rights),
        "password": sql.Literal(password),
    }
    statements = [sql.SQL("{verb} ROLE {name} LOGIN {rights} PASSWORD {password}").format(**words)]
    for statement, changed in (
        ("REVOKE {role} FROM {name}", held - {*roles}),
        ("GRANT {role} TO {name}", roles),
    ):
        statements += [
            sql.SQL(statement).format(role=sql.Identifier(role), name=words["name"]) for role in changed
        ]
    await instances.execute(instance, *statements)


async def drop_user(instances: Instances, instance: str, name: str) -> None:
    """Drop a role; fails while it owns anything."""
    await instances.execute(instance, sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))


async def make_group(instances: Instances, instance: str, name: str, rights: str) -> None:
    """Create a group role if it does not exist."""
    if not await instances.has_role(instance, name):
        statement = sql.SQL("CREATE ROLE {} NOLOGIN {}").format(sql.Identifier(name), sql.SQL(rights))
        await instances.execute(instance, statement)


async def _names(instances: Instances, instance: str, question: str, *values: str) -> set[str]:
    asked = sql.SQL(question).format(*map(sql.Literal, values))
    return {row[0] for row in await instances.query(instance, asked)}
