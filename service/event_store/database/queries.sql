-- The database itself: its schema, and how to make it.

-- name: schema_revision
-- The revision of the schema, and what it says of the releases that it works with (migrations/__init__.py); no
-- row or no table where there is none.
SELECT version_num, obj_description('alembic_version'::regclass, 'pg_class') FROM alembic_version;

-- name: log_is_append_only
-- Whether the trigger is there that refuses changes of events, and fires in every session.
SELECT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = 'events'::regclass AND tgname = 'append_only' AND tgenabled = 'A'
);

-- name: database_find
-- One row if there is a database of that name.
SELECT FROM pg_database WHERE datname = %(database)s;

-- name: maker_find
-- Whom to act as: nobody else, if the login may make databases and roles; a role that it is a member of, if that may.
SELECT rolname FROM pg_roles
WHERE rolcreatedb AND rolcreaterole AND pg_has_role(current_user, oid, 'MEMBER')
ORDER BY rolname = current_user DESC, rolsuper, rolname
LIMIT 1;

-- name: maker_become
SET ROLE {role};

-- name: runtime_find
-- One row if the runtime's group role is there, which belongs to all databases of the server.
SELECT FROM pg_roles WHERE rolname = 'event_store_runtime';

-- name: runtime_create
-- The first migration makes it where it knows whom to act as, and leaves one that is there.
CREATE ROLE event_store_runtime NOLOGIN;

-- name: database_create
-- It belongs to the role that makes it, whose members may make tables in it.
CREATE DATABASE {database};
