"""Edits of what runs: the service, the relay's worker pool and the job that migrates."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_STOPS: Final = "loses no data, but stops "
_LESS_SAFE: Final = "loses no data, but 1 change is less safe"
_LIVENESS: Final = """                liveness_probe=cloudrunv2.ServiceTemplateContainerLivenessProbeArgs(
                    grpc=cloudrunv2.ServiceTemplateContainerLivenessProbeGrpcArgs(
                        port=PORT, service=GRPC_SERVICE
                    ),
                    initial_delay_seconds=0,
                    period_seconds=15,
                    timeout_seconds=5,
                    failure_threshold=4,
                ),
"""
_INVOKER: Final = """                name=service.name,
                role="roles/run.invoker",
                member=invoker,"""
_SIDECAR: Final = """            cloudrunv2.ServiceTemplateContainerArgs(image="otel", commands=["otel"]),
"""
_TRAFFICS: Final = "            traffics=_traffics"
_BY_HAND: Final = '            scaling=cloudrunv2.ServiceScalingArgs(scaling_mode="MANUAL", '


def _edit(name: str, *patches: tuple[str, str, str], **what: Any) -> Edit:
    program = tuple(Patch(f"components/{file}", old, new) for file, old, new in patches)
    return Edit(name=name, program=program, **{"base": "prod-unprotected", **what})


EDITS: Final = (
    _edit(
        "let-callers-in-from-the-internet",
        ("workload/event_store.py", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_ALL"),
        headline=_LESS_SAFE,
        says=("callers from more networks",),
    ),
    _edit(
        "check-no-caller-s-right",
        ("workload/event_store.py", "invoker_iam_disabled=False", "invoker_iam_disabled=True"),
        headline=_LESS_SAFE,
        says=("nobody's right is checked",),
    ),
    _edit(
        "open-the-service-to-everybody",
        ("workload/event_store.py", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_ALL"),
        ("workload/event_store.py", _INVOKER, _INVOKER.replace("member=invoker", 'member="allUsers"')),
        headline=f"{_STOPS}`serviceAccount:words@event-store-prod",
        says=("everybody on the Internet has `roles/run.invoker`", "callers from more networks"),
    ),
    _edit(
        "take-the-service-s-address-away",
        ("workload/event_store.py", "default_uri_disabled=False", "default_uri_disabled=True"),
        headline=f"{_STOPS}everybody who calls the service by its run.app address",
    ),
    _edit(
        "rename-the-service",
        (
            "workload/event_store.py",
            "            name=args.prefix,\n",
            '            name=f"{args.prefix}-v2",\n',
        ),
        headline=f"{_STOPS}everybody who appends or reads",
    ),
    _edit(
        "give-the-relay-no-cpu-between-requests",
        ("workload/event_store.py", "cpu_idle=False", "cpu_idle=True"),
        headline=f"{_STOPS}what works between requests",
    ),
    _edit(
        "let-no-instance-run-without-requests",
        ("workload/event_store.py", "min_instance_count=settings.min_instances", "min_instance_count=0"),
        headline=f"{_STOPS}publishing while nobody calls",
    ),
    _edit(
        "let-no-instance-run-where-a-pool-relays",
        ("workload/event_store.py", "min_instance_count=settings.min_instances", "min_instance_count=0"),
        base="staging",
        **HARMLESS,
    ),
    _edit(
        "relay-nowhere",
        ("workload/event_store.py", 'relay="on" if settings.relay == "service" else "off"', 'relay="off"'),
        headline=f"{_STOPS}every consumer: the service no longer publishes",
    ),
    _edit(
        "relay-without-an-instance",
        (
            "workload/relay.py",
            "manual_instance_count=args.settings.relay_instances",
            "manual_instance_count=0",
        ),
        base="staging",
        headline=f"{_STOPS}every consumer: nothing is published",
    ),
    _edit(
        "serve-in-the-relay-s-pool",
        ("workload/relay.py", 'args=["relay"]', 'args=["serve"]'),
        base="staging",
        headline=_LESS_SAFE,
        says=("another command",),
    ),
    _edit(
        "answer-one-request-at-a-time",
        config={"service.concurrency": 1},
        headline=_LESS_SAFE,
        says=("fewer requests and streams",),
    ),
    _edit(
        "run-one-instance-with-less-memory",
        config={"service.min_instances": 1, "service.max_instances": 1, "service.memory_mib": 512},
        headline="loses no data, but ",
        says=("fewer instances serve", "more memory than that"),
    ),
    _edit(
        "use-another-host-s-database",
        ("database/login.py", '"PGHOST": args.connection.host', '"PGHOST": "10.9.9.9"'),
        headline="refused, 1 change would lose data",
        refused={("update template.containers.envs.PGHOST", "event-store-service")},
        says=(
            "sight of the log, unless the new value leads to the same database",
            "migrations run in another",
        ),
    ),
    _edit(
        "use-another-database-by-an-address-beside-the-host",
        (
            "database/login.py",
            '"PGHOST": args.connection.host',
            '"PGHOST": args.connection.host, "PGHOSTADDR": "10.9.9.9"',
        ),
        base="staging",
        headline="refused, 1 change would lose data",
        refused={("update template.containers.envs.PGHOSTADDR", "event-store-service")},
        says=("stops every consumer, unless the new value leads to the same database",),
    ),
    _edit(
        "read-from-another-host-s-replica",
        ("workload/event_store.py", "REPLICA_HOST: replica.host", 'REPLICA_HOST: "10.9.9.9"'),
        headline=f"{_STOPS}whoever reads, unless the new value leads to a replica of the same database",
    ),
    _edit(
        "act-by-a-key-in-a-file",
        (
            "database/login.py",
            '"PGHOST": args.connection.host',
            '"PGHOST": args.connection.host, "GOOGLE_APPLICATION_CREDENTIALS": "/key.json"',
        ),
        headline="loses no data, but 2 changes are less safe",
        says=("acts as another account",),
    ),
    _edit(
        "put-a-sidecar-before-the-service",
        ("workload/event_store.py", "        containers=[\n", f"        containers=[\n{_SIDECAR}"),
        **HARMLESS,
    ),
    _edit(
        "put-a-sidecar-before-the-service-and-let-it-only-relay",
        ("workload/event_store.py", "        containers=[\n", f"        containers=[\n{_SIDECAR}"),
        ("workload/event_store.py", 'args=["serve"]', 'args=["relay"]'),
        headline=_LESS_SAFE,
        says=('`["serve"]` → `["relay"]` is less safe: it runs another command',),
    ),
    _edit(
        "answer-by-http-1",
        ("workload/event_store.py", 'name="h2c"', 'name="http1"'),
        headline=f"{_STOPS}everybody who reads or appends: requests come by HTTP/1",
    ),
    _edit(
        "run-no-instance-by-hand",
        ("workload/event_store.py", _TRAFFICS, f"{_BY_HAND}manual_instance_count=0),\n{_TRAFFICS}"),
        headline=f"{_STOPS}everybody who reads or appends: no instance runs",
    ),
    _edit(
        "fix-the-number-of-instances-and-name-none",
        ("workload/event_store.py", _TRAFFICS, f"{_BY_HAND}),\n{_TRAFFICS}"),
        headline=f"{_STOPS}everybody who reads or appends: no instance runs",
    ),
    _edit(
        "fix-the-number-of-instances",
        ("workload/event_store.py", _TRAFFICS, f"{_BY_HAND}manual_instance_count=2),\n{_TRAFFICS}"),
        headline=_LESS_SAFE,
        says=("fewer instances serve",),
    ),
    _edit(
        "keep-an-instance-by-the-service-instead-of-its-revision",
        (
            "workload/event_store.py",
            _TRAFFICS,
            f"            scaling=cloudrunv2.ServiceScalingArgs(min_instance_count=1),\n{_TRAFFICS}",
        ),
        ("workload/event_store.py", "min_instance_count=settings.min_instances", "min_instance_count=0"),
        **HARMLESS,
    ),
    _edit(
        "ask-for-another-service-s-health",
        ("workload/event_store.py", '= "event_store.v1.EventStore"', '= "event_store.v1.Other"'),
        headline="loses no data, but 2 changes are less safe",
        says=("gets no requests", "is ended, again and again"),
    ),
    _edit(
        "cut-streams-off-after-a-minute",
        ("workload/event_store.py", "REQUEST_SECONDS: Final = 3600", "REQUEST_SECONDS: Final = 360"),
        headline="loses no data, but 2 changes are less safe",
        says=("are cut off",),
    ),
    _edit(
        "restart-no-instance-that-hangs",
        ("workload/event_store.py", _LIVENESS, ""),
        headline=_LESS_SAFE,
        says=("an instance that hangs",),
    ),
    _edit(
        "trust-any-server",
        ("database/login.py", "            DATABASE_CA: args.connection.server_ca,\n", ""),
        headline="loses no data, but ",
        says=("who answers as the database",),
    ),
    _edit(
        "act-as-another-account",
        (
            "workload/event_store.py",
            "service_account=identity.account.email,\n        execution",
            'service_account="admin@event-store-prod.iam.gserviceaccount.com",\n        execution',
        ),
        headline=_LESS_SAFE,
        says=("acts as another account",),
    ),
    _edit(
        "send-everything-through-the-network",
        ("workload/container.py", "PRIVATE_RANGES_ONLY", "ALL_TRAFFIC"),
        headline="loses no data, but 2 changes are less safe",
        says=("come from another address",),
    ),
    _edit(
        "wait-for-no-migration",
        ("workload/migrations.py", "run_execution_token=_token(template, args),", ""),
        headline=_LESS_SAFE,
        says=("no longer waits for the job",),
    ),
    _edit(
        "migrate-by-another-command",
        (
            "workload/migrations.py",
            '"commands": ["event-store"]',
            '"commands": ["sh", "-c", "psql -f other.sql"]',
        ),
        headline=_LESS_SAFE,
        says=("another command",),
    ),
    _edit(
        "try-a-migration-that-failed-again",
        ("workload/migrations.py", '"max_retries": 0', '"max_retries": 3'),
        headline=_LESS_SAFE,
        says=("before anybody has looked",),
    ),
    _edit("log-less", config={"service.log_level": "ERROR"}, headline="loses no data (", omits=("ess safe",)),
    _edit(
        "begin-a-rollout",
        config={"rollout": {"stable": "event-store-00001-abc", "percent": 10}},
        **HARMLESS,
    ),
)
