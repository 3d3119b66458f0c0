"""The migrations of the database, which every rollout waits for."""

import hashlib
from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_gcp import cloudrunv2

from event_store.environment import Environment
from event_store_infra.components.children import child_options
from event_store_infra.components.database.login import ADMINISTRATORS
from event_store_infra.components.workload.container import ContainerArgs, Identity, identity, vpc_access

JOB_SECONDS: Final = 1800
# Its login's grants are seconds old at a first update, and IAM may take seven minutes and more to know them.
DATABASE_WAIT_SECONDS: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationsArgs(ContainerArgs):
    """The arguments of `Migrations`.

    Attributes:
        attempt: Any number; another one runs the same migrations again.
    """

    attempt: int = 1


class Migrations(pulumi.ComponentResource):
    """Owns the migrator's identity, its login with the right to change the schema, and the job that does it.

    The job runs during the update whenever anything that shapes it has changed, and the update waits for its
    success: what depends on this component starts on a migrated database or not at all. The migrator owns the
    tables, but the runtime's identity is deliberately another one, without the right to change them.

    Attributes:
        user: The name of the migrator's database user.
    """

    user: pulumi.Output[str]

    def __init__(self, name: str, args: MigrationsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:Migrations", name, None, opts)
        migrator = identity(
            name,
            args,
            child_options(self, opts),
            role="migrator",
            about="migrations",
            database_role=ADMINISTRATORS[args.connection.engine],
        )
        template = _template(args, migrator)
        cloudrunv2.Job(
            f"{name}-job",
            project=args.project,
            location=args.region,
            name=f"{args.prefix}-migrate",
            template=template,
            # Makes the update run the job and wait for its success. Google names the execution by it and
            # takes each token once, so it changes with everything that shapes the job.
            run_execution_token=_token(template, args),
            # A job holds no data, and a failed first creation has to be deleted to be repeated.
            deletion_protection=False,
            labels=args.labels,
            opts=pulumi.ResourceOptions.merge(
                child_options(self, opts, after=migrator.rights),
                pulumi.ResourceOptions(
                    custom_timeouts=pulumi.CustomTimeouts(create="40m", update="40m"),
                    # gcloud and the console write their own name there.
                    ignore_changes=["client", "clientVersion"],
                ),
            ),
        )
        self.user = migrator.login.user
        self.register_outputs({"user": self.user})


def _template(args: MigrationsArgs, migrator: Identity) -> cloudrunv2.JobTemplateArgsDict:
    environment = Environment(database_wait_seconds=DATABASE_WAIT_SECONDS)
    variables = {**environment.variables(), **migrator.login.variables}
    return {
        "task_count": 1,
        "parallelism": 1,
        "template": {
            "service_account": migrator.account.email,
            "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
            # A migration that failed once needs a person, not a second attempt; the login is waited for.
            "max_retries": 0,
            "timeout": f"{JOB_SECONDS}s",
            "containers": [
                {
                    "image": args.image,
                    "commands": ["event-store"],
                    # AlloyDB has no resource for a database.
                    "args": [
                        "migrate",
                        *(["--create-database"] if args.connection.engine == "alloydb" else []),
                    ],
                    "envs": [{"name": key, "value": value} for key, value in sorted(variables.items())],
                    "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
                }
            ],
            "vpc_access": vpc_access(args),
        },
    }


def _token(template: cloudrunv2.JobTemplateArgsDict, args: MigrationsArgs) -> pulumi.Output[str]:
    shape = pulumi.Output.json_dumps(
        {"template": template, "labels": args.labels, "attempt": args.attempt}, sort_keys=True
    )
    return shape.apply(lambda text: hashlib.sha256(text.encode()).hexdigest()[:16])
