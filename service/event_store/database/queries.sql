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
-- One row if the database exists.
SELECT FROM pg_database WHERE datname = %(database)s;

-- name: maker_find
-- The role that may create databases and roles: the login itself, or else one that it is a member of.
SELECT rolname FROM pg_roles
WHERE rolcreatedb AND rolcreaterole AND pg_has_role(current_user, oid, 'MEMBER')
ORDER BY rolname = current_user DESC, rolsuper, rolname
LIMIT 1;

-- name: maker_become
SET ROLE {role};

-- name: runtime_find
-- One row if the group role of the service exists; all databases of the server share it.
SELECT FROM pg_roles WHERE rolname = 'event_store_runtime';

-- name: runtime_create
-- The first migration also creates the role if it may, and keeps an existing one.
CREATE ROLE event_store_runtime NOLOGIN;

-- name: database_create
-- Its owner is the creating role, whose members may create tables in it.
CREATE DATABASE {database};
