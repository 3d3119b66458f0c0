"""A container finds its databases by the addresses in its variables, whatever those are called."""

from typing import Final

from tests.local_gcp.conftest import Stack

LOGIN: Final = "import os, psycopg; " + "; ".join(
    f"psycopg.connect(host=os.environ['{name}_HOST'], port=os.environ['{name}_PORT'], user='web', "
    f"dbname='{database}')"
    for name, database in (("DB", "words"), ("OLD", "postgres"))
)
PROGRAM: Final = """
from pulumi_gcp import cloudrunv2, sql
first, second = (
    sql.DatabaseInstance(name, name=name, database_version="POSTGRES_18", deletion_protection=False,
        settings={{"tier": "db-custom-1-3840", "edition": "ENTERPRISE"}}) for name in ("first", "second"))
words = sql.Database("words", name="words", instance=first.name)
users = [sql.User(f"web-{{each}}", name="web", instance=instance.name, password="word",
    opts=pulumi.ResourceOptions(depends_on=[words])) for each, instance in enumerate((first, second))]
variables = {{{variables}}}
cloudrunv2.Job("job", name="job", location="europe-west1", deletion_protection=False,
    run_execution_token="1", template={{"template": {{"max_retries": 0, "containers": [{{"image": "i",
        "commands": ["python"], "args": ["-c", {login!r}],
        "envs": [{{"name": name, "value": value}} for name, value in variables.items()]}}]}}}},
    opts=pulumi.ResourceOptions(depends_on=users))
"""
NAMED: Final = """"DB_HOST": first.private_ip_address, "DB_PORT": "5432",
    "OLD_HOST": second.connection_name.apply("/cloudsql/{{}}".format)"""
ELSEWHERE: Final = """"DB_URL": first.private_ip_address.apply("postgresql://web@{{}}:5432/words".format)"""


async def test_each_address_leads_to_its_database_here(stack: Stack) -> None:
    """By the private address and by the socket of Cloud SQL, each with the port beside it."""
    stack.write(PROGRAM.format(variables=NAMED.format(), login=LOGIN))

    await stack.must_up()
    await stack.must_destroy()


async def test_an_address_where_nobody_looks_is_refused(stack: Stack) -> None:
    """The message names the variable, and how to give the address instead."""
    stack.write(PROGRAM.format(variables=ELSEWHERE.format(), login=LOGIN))

    answer = await stack.up()
    await stack.must_destroy()

    assert answer.code != 0
    assert "variable DB_URL holds the address of a database" in answer.output
    assert "in a variable whose name ends in HOST" in answer.output
