import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_store.environment import LOG_LEVELS, LOGINS, RELAYS, Environment
from event_store.errors import ConfigurationError

text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"))
environments = st.builds(
    Environment,
    host=st.ip_addresses(v=4).map(str),
    port=st.integers(0, 65535),
    database_login=st.sampled_from(LOGINS),
    database_ca=text,
    replica_host=st.ip_addresses(v=4).map(str),
    replica_port=st.integers(1, 65535),
    replica_ca=text,
    database_connections=st.integers(2, 100),
    database_wait_seconds=st.integers(0, 3600),
    stream_seconds=st.integers(0, 86_400),
    routing=text,
    relay=st.sampled_from(RELAYS),
    log_level=st.sampled_from(LOG_LEVELS),
)


@given(environments)
def test_what_infra_writes_the_service_reads(environment: Environment) -> None:
    """Every environment survives the way through a container's variables."""
    assert Environment.parse(environment.variables()) == environment


def test_every_field_has_a_variable() -> None:
    """No field can be added without a name for it in the environment."""
    given = {
        "port": 1,
        "replica_port": 5433,
        "database_connections": 3,
        "database_wait_seconds": 60,
        "stream_seconds": 60,
        "database_login": "iam",
        "relay": "off",
        "log_level": "DEBUG",
    }
    values = {field.name: given.get(field.name, "given") for field in dataclasses.fields(Environment)}

    variables = Environment(**values).variables()  # type: ignore[arg-type] # one dictionary for all types

    assert len(variables) == len(values)


def test_foreign_variables_are_none_of_our_business() -> None:
    """The rest of a process's environment is ignored."""
    assert Environment.parse({"PATH": "/bin", "PGHOST": "db", "K_SERVICE": "x"}) == Environment()


@pytest.mark.parametrize("place", ["K_SERVICE", "CLOUD_RUN_JOB", "CLOUD_RUN_WORKER_POOL"])
def test_an_image_goes_back_to_before_a_variable_was_there(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """On Cloud Run the program of a later release may deploy it: what it does not know is passed over."""
    assert Environment.parse({"EVENT_STORE_OF_LATER": "1", place: "x"}) == Environment()
    assert "EVENT_STORE_OF_LATER is not a variable of this release" in caplog.text


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PORT": "http"}, "PORT is 'http': use a whole number"),
        ({"PORT": "70000"}, "PORT is 70000: use a whole number from 0 to 65535"),
        ({"EVENT_STORE_DATABASE_LOGIN": "ldap"}, "use one of libpq, iam"),
        ({"EVENT_STORE_DATABASE_CONNECTIONS": "1"}, "from 2 to 100"),
        ({"EVENT_STORE_DATABASE_WAIT_SECONDS": "-1"}, "from 0 to 3600"),
        ({"EVENT_STORE_RELAY": "yes"}, "use one of on, off"),
        ({"EVENT_STORE_ROUTNG": "{}"}, "unknown variable EVENT_STORE_ROUTNG"),
    ],
)
def test_a_bad_value_says_what_is_allowed(variables: dict[str, str], message: str) -> None:
    """A container with a wrong variable stops with a sentence, not with a surprise later."""
    with pytest.raises(ConfigurationError, match=message):
        Environment.parse(variables)
