"""No topology that is accepted leads to a program that Google would refuse."""

import asyncio
import string
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pulumi
import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pulumi.runtime import mocks

from event_store.errors import TopologyError
from event_store.topology import Topology
from event_store_infra.components.bus import EventBus, EventBusArgs
from local_gcp.daemon.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble
from local_gcp.provider.cloud import Cloud
from local_gcp.resource.place import Place
from local_gcp.resource.properties import from_struct, to_struct
from local_gcp.resource.records import Records
from local_gcp.system.child_process import Processes
from pubsub_emulator.broker.filter import parse_filter
from tools import ROOT

# A busy machine is slow; that is no failure.
_PATIENT = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
_PLACE = Place("words-project", "europe-west1")
_NAMES = ("abc", "words", "words-g2", "a" * 243, "A.b_c~d+e%f")
_KEYS = [f"projects/p/locations/europe/keyRings/r/cryptoKeys/{name}" for name in ("k", "l")]
_TEXT = st.text(string.printable + "üß", min_size=1, max_size=12)


def _some(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=strategies)


def _one(*values: object) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


_truth = st.booleans()
_labels = _one({}, {"team": "words"}, {"a": "x" * 63, "b" * 63: "1"})
_types = st.lists(_one("WordAdded", "Word*", "Ü" * 40, "a b", "*", "x" * 100), min_size=1, max_size=3)
_push = st.fixed_dictionaries(
    {"pushEndpoint": _one("https://a.b/c", "https://a")},
    optional={"audience": _TEXT, "service": _one("mailer", "m" * 49)},
)
_rows = st.fixed_dictionaries(
    {"table": _one("words-project.set.a", "words-project.set.b")},
    optional=dict.fromkeys(
        ("useTopicSchema", "useTableSchema", "writeMetadata", "dropUnknownFields"), _truth
    ),
)
_objects = st.fixed_dictionaries(
    {"bucket": _one("archive", "words.archive-2")},
    optional={
        "filenamePrefix": _TEXT,
        "filenameSuffix": _TEXT,
        "maxDuration": _one("60s", "5m", "10m"),
        "maxBytes": _one(1000, 10_737_418_240),
        "maxMessages": _one(1000, 9_000_000_000_000),
        "format": _one("avro", "text"),
    },
)


@st.composite
def _files(draw: st.DrawFn) -> dict[str, Any]:
    """Return files that are right, but for combinations and ends of ranges that may not be."""
    schemas = draw(st.lists(_one(*_NAMES), max_size=2, unique=True))
    topics = draw(st.lists(_one(*_NAMES), min_size=1, max_size=3, unique=True))
    subscriptions = draw(st.lists(_one(*_NAMES), min_size=1, max_size=4, unique=True))
    return {
        "schemas": [
            {"name": name, "type": draw(_one("AVRO", "PROTOCOL_BUFFER")), "definition": draw(_TEXT)}
            for name in schemas
        ],
        "topics": [{"name": name, **draw(_topic(schemas))} for name in topics],
        "subscriptions": [
            {
                "name": name,
                "topic": draw(_one(*topics)),
                **draw(_subscription),
                **draw(_which),
                **draw(_delivery),
            }
            for name in subscriptions
        ],
    }


def _topic(schemas: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    settings_of = {
        "schemaSettings": st.fixed_dictionaries(
            {"schema": _one(*schemas)}, optional={"encoding": _one("JSON", "BINARY")}
        )
    }
    return _some(
        messageRetentionDuration=_one("10m", "31d"),
        ordering=_one("aggregate", "none", {"partitions": 8}),
        labels=_labels,
        kmsKeyName=_one(*_KEYS),
        earlierKmsKeyNames=st.lists(_one(*_KEYS), max_size=2),
        messageStoragePolicy=st.fixed_dictionaries(
            {"allowedPersistenceRegions": _one(["europe-west1"], ["europe-west1", "us-east1"])},
            optional={"enforceInTransit": _truth},
        ),
        **(settings_of if schemas else {}),
    )


_delivery = st.one_of(
    st.just({}),
    st.builds(lambda each: {"pushConfig": each}, _push),
    st.builds(lambda each: {"bigqueryConfig": each}, _rows),
    st.builds(lambda each: {"cloudStorageConfig": each}, _objects),
)
_which = st.one_of(_some(filter=_TEXT), _some(eventTypes=_types, aggregateTypes=_types))
_subscription = _some(
    ackDeadlineSeconds=_one(10, 300, 600),
    messageRetentionDuration=_one("10m", "31d"),
    retainAckedMessages=_truth,
    retryPolicy=_some(minimumBackoff=_one("0s", "10s", "10m"), maximumBackoff=_one("0s", "10m")),
    deadLetterPolicy=_some(maxDeliveryAttempts=_one(5, 100)),
    enableExactlyOnceDelivery=_truth,
    labels=_labels,
    consumers=st.lists(_one("user:a@b.c", "group:a@b.c", "serviceAccount:a@b.iam"), max_size=3, unique=True),
    generation=_one(1, 2, 3, 999),
    keptGenerations=st.lists(st.integers(1, 2), max_size=2, unique=True),
)


class _Declared(mocks.Mocks):
    """Takes down what a program declares, in the provider's own words, without an engine."""

    def __init__(self) -> None:
        self.resources: list[tuple[str, str, dict[str, Any]]] = []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        if args.custom:
            whole = from_struct(to_struct(dict(args.inputs)))  # numbers come as floats
            self.resources.append((args.typ, args.name, whole))
        name = args.inputs.get("name") or args.name
        collection = {"Topic": "topics", "Schema": "schemas"}.get(args.typ.rpartition(":")[2])
        made = f"projects/{_PLACE.project}/{collection}/{name}" if collection else f"{args.name}-id"
        email = f"{args.name}@{_PLACE.project}.iam.gserviceaccount.com"
        return made, {"email": email, "member": f"serviceAccount:{email}", "name": name, **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise NotImplementedError(args.token)


def _declare(topology: Topology) -> list[tuple[str, str, dict[str, Any]]]:
    """Return type, name in the program and inputs of everything that a bus consists of."""
    declared = _Declared()

    def program() -> None:
        EventBus(
            "bus",
            EventBusArgs(
                project=_PLACE.project,
                region=_PLACE.region,
                prefix="event-store",
                topology=topology,
                labels={"team": "all"},
            ),
        )

    run: Any = pulumi.runtime.test  # untyped in the SDK
    with ThreadPoolExecutor(1) as apart:  # the SDK makes an event loop for a thread, and never closes it
        apart.submit(_with_own_loop, declared, run(program)).result()
    return declared.resources


def _with_own_loop(declared: mocks.Mocks, program: Callable[[], None]) -> None:
    new_event_loop, made = asyncio.new_event_loop, list[asyncio.AbstractEventLoop]()

    def noted() -> asyncio.AbstractEventLoop:
        made.append(new_event_loop())
        return made[-1]

    # The SDK's mocks make an event loop in each thread of this one's executor, and close none.
    with patch.object(asyncio, "new_event_loop", noted):
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            mocks.set_mocks(declared)
            program()
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            for each in made:
                each.close()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    """Return a local Google Cloud, for what it checks."""
    state = State(tmp_path_factory.mktemp("limits"))
    unused = Settings(service_port=0, postgres_port=0, pubsub_port=0, token="")
    return assemble(state, unused, Processes(state.logs), Records(None), ROOT / "infra").cloud


def _refused(cloud: Cloud, resources: list[tuple[str, str, dict[str, Any]]]) -> list[str]:
    """Return what the local Google Cloud, or the engine, has against resources."""
    problems = []
    identities: Counter[tuple[str, str]] = Counter()
    for kind_name, name, inputs in resources:
        kind = cloud.kind(kind_name)
        checked, failures = kind.limits.check(inputs)
        problems += [f"{name}.{failure.path} {failure.reason}" for failure in failures]
        identities[kind_name, kind.identify(checked, _PLACE)] += 1
    names = Counter((kind_name, name) for kind_name, name, _ in resources)
    return problems + [f"{each} twice" for each, count in (identities + names).items() if count > 1]


@_PATIENT
@given(content=_files())
def test_an_accepted_topology_becomes_what_google_takes(cloud: Cloud, content: dict[str, Any]) -> None:
    """Each resource keeps every limit that the local Google Cloud knows, and nothing is made twice.

    A filter that is made of types is one of Pub/Sub's language.
    """
    try:
        topology = Topology.parse(yaml.safe_dump(content, allow_unicode=True), "t.yaml")
    except TopologyError as error:
        event(f"refused: {str(error).split(':')[-1][:40]}")
        return
    event("accepted")
    for declared, made in zip(content["subscriptions"], topology.subscriptions, strict=True):
        if {"eventTypes", "aggregateTypes"} & declared.keys():
            parse_filter(made.filter)
    assert _refused(cloud, _declare(topology)) == []


def test_whoever_shares_a_table_a_bucket_or_a_key_shares_its_grants(cloud: Cloud) -> None:
    """A second resource of one grant would take it away from the first when it goes."""
    keys = {"kmsKeyName": _KEYS[0]}
    topology = Topology.parse(
        yaml.safe_dump(
            {
                "topics": [
                    {"name": "words", **keys},
                    {"name": "other", **keys},
                    {"name": "third", "earlierKmsKeyNames": _KEYS[:1]},
                ],
                "subscriptions": [
                    {"name": "rows-1", "topic": "words", "bigqueryConfig": {"table": "words-p.set.t"}},
                    {"name": "rows-2", "topic": "other", "bigqueryConfig": {"table": "words-p.set.t"}},
                    {"name": "archive-1", "topic": "words", "cloudStorageConfig": {"bucket": "archive"}},
                    {"name": "archive-2", "topic": "other", "cloudStorageConfig": {"bucket": "archive"}},
                ],
            }
        ),
        "t.yaml",
    )

    resources = _declare(topology)
    grants = Counter(kind for kind, _, _ in resources if kind.endswith(("IAMMember", "IamMember")))

    assert _refused(cloud, resources) == []
    assert grants["gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"] == 1
    assert grants["gcp:bigquery/iamMember:IamMember"] == 2
    assert grants["gcp:storage/bucketIAMMember:BucketIAMMember"] == 2
