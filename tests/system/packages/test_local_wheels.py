"""`pubsub-emulator` and `pulumi-local-gcp` from their wheels, in a folder that has nothing to do with us."""

import signal
from typing import Final

from tests.system.packages.conftest import Install
from tests.system.packages.environment import RUN_SECONDS

EMULATOR: Final = "pubsub-emulator"
LOCAL: Final = "pulumi-local-gcp"

PUBLISH: Final = """
import os
import infra, local, migrations
from google.cloud import pubsub_v1

topic, subscription = "projects/any/topics/words", "projects/any/subscriptions/words"
publisher, subscriber = pubsub_v1.PublisherClient(), pubsub_v1.SubscriberClient()
publisher.create_topic(name=topic)
subscriber.create_subscription(name=subscription, topic=topic)
publisher.publish(topic, b"ahoj").result(timeout=30)
response = subscriber.pull(subscription=subscription, max_messages=1, timeout=30)
print(response.received_messages[0].message.data)
assert infra.OWN and local.OWN and migrations.OWN
"""


def test_the_emulator_runs_alone(install: Install) -> None:
    """`python -m pubsub_emulator` serves Google's own client, and brings nothing else of ours."""
    environment = install(EMULATOR)
    command = ("python", "-W", "error", "-m", "pubsub_emulator", "--port", "0")
    emulator = environment.start(*command, PYTHONUNBUFFERED="1")
    try:
        assert emulator.stdout is not None
        address = emulator.stdout.readline().strip().partition("PUBSUB_EMULATOR_HOST=")[2]
        said = environment.run_program(PUBLISH, PUBSUB_EMULATOR_HOST=address)
        emulator.send_signal(signal.SIGINT)
        assert emulator.wait(RUN_SECONDS) == 0, emulator.communicate()
    finally:
        emulator.kill()
        emulator.communicate()

    assert said == "b'ahoj'\n"
    assert not {"gcp-event-store", "pulumi", "alembic", "psycopg"} & environment.distributions().keys()


def test_the_local_cloud_is_a_command(install: Install) -> None:
    """It starts from any folder, and shows what it can do."""
    environment = install(LOCAL)
    done = environment.run("local-gcp", "--help")

    assert done.returncode == 0, done.stderr
    assert {"up", "down", "status", "preview"} <= {*done.stdout.replace(",", " ").split()}
    environment.run_program("import infra, local, local_gcp.daemon.wiring\nassert infra.OWN and local.OWN\n")
