"""The identities that GitHub previews and deploys an environment with, without a key."""

import pulumi
from pulumi_gcp import iam, kms, projects, serviceaccount, storage

from event_store_infra.components.children import child_options
from event_store_infra.identities import BUCKET, KEY, PREVIEWER_ROLE, PROJECT, Grant, grants_of
from event_store_infra.managed import reading_permissions
from event_store_infra.settings.bootstrap import BootstrapSettings
from event_store_infra.workflows import ISSUER, attribute_condition, attribute_mapping


class ContinuousDelivery(pulumi.ComponentResource):
    """Owns the deployer and the previewer of one environment, their roles, and who of GitHub may be them.

    The roles are those of `event_store_infra.identities`. Only workflows of the one repository get in: the
    deployer is for runs of `main` in the GitHub environment, whose approvals GitHub keeps; the previewer for
    pull requests of the repository itself and for what runs on `main` by schedule or by hand. It deliberately
    makes no key of an account, and neither the state's bucket nor the key of its secrets: both are there
    before Pulumi is.

    Attributes:
        provider: The full name of the identity provider, for the workflows.
        deployer: The email of the deployer.
        deployer_member: As a policy names it.
        previewer: The email of the previewer.
    """

    provider: pulumi.Output[str]
    deployer: pulumi.Output[str]
    deployer_member: pulumi.Output[str]
    previewer: pulumi.Output[str]

    def __init__(
        self, name: str, args: BootstrapSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("event-store:infra:ContinuousDelivery", name, None, opts)
        self._name, self._args, self._child = name, args, child_options(self, opts)
        pool = iam.WorkloadIdentityPool(
            f"{name}-pool",
            project=args.project,
            workload_identity_pool_id=f"{args.prefix}-github",
            display_name="GitHub",
            opts=self._child,
        )
        provider = iam.WorkloadIdentityPoolProvider(
            f"{name}-provider",
            project=args.project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="repository",
            display_name="One repository",
            attribute_mapping=attribute_mapping(args.environment),
            # GitHub signs for every repository there is.
            attribute_condition=attribute_condition(
                args.repository_id, args.repository_owner_id, args.environment
            ),
            oidc=iam.WorkloadIdentityPoolProviderOidcArgs(issuer_uri=ISSUER),
            opts=self._child,
        )
        deployer = self._account("deployer", "Event store: deploys from CI")
        previewer = self._account("previewer", "Event store: previews in CI, changes nothing")
        self._workflow("deploy", deployer, pool)
        self._workflow("preview", previewer, pool)
        self._workflow("drift", previewer, pool)
        looks = projects.IAMCustomRole(
            f"{name}-role",
            project=args.project,
            role_id=PREVIEWER_ROLE,
            title="Event store: previewer",
            description="Reads what the stack manages, and no data in it",
            permissions=list(reading_permissions()),
            stage="GA",
            opts=self._child,
        )
        for identity, account in {"deployer": deployer, "previewer": previewer}.items():
            for grant in grants_of(identity):
                self._grant(grant, account, looks)
        self.provider, self.deployer, self.previewer = provider.name, deployer.email, previewer.email
        self.deployer_member = deployer.member
        self.register_outputs(
            {"provider": self.provider, "deployer": self.deployer, "previewer": self.previewer}
        )

    def _account(self, identity: str, about: str) -> serviceaccount.Account:
        return serviceaccount.Account(
            f"{self._name}-{identity}",
            project=self._args.project,
            account_id=f"{self._args.prefix}-{identity}",
            display_name=about,
            opts=self._child,
        )

    def _workflow(
        self, workflow: str, account: serviceaccount.Account, pool: iam.WorkloadIdentityPool
    ) -> None:
        serviceaccount.IAMMember(
            f"{self._name}-workflow-{workflow}",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=pulumi.Output.concat("principal://iam.googleapis.com/", pool.name, "/subject/", workflow),
            opts=self._child,
        )

    def _grant(self, grant: Grant, account: serviceaccount.Account, looks: projects.IAMCustomRole) -> None:
        args, short = self._args, grant.role.removeprefix("roles/")
        name = f"{self._name}-{grant.identity}-{short}"
        narrowed = grant.narrowed(bucket=args.state_bucket, program=args.program, stack=args.environment)
        if grant.kind == PROJECT:
            condition = projects.IAMMemberConditionArgs(title=grant.on, expression=narrowed)
            projects.IAMMember(
                name,
                project=args.project,
                role=looks.name if grant.role == PREVIEWER_ROLE else grant.role,
                member=account.member,
                condition=condition if narrowed else None,
                opts=self._child,
            )
        elif grant.kind == BUCKET:
            storage.BucketIAMMember(
                name,
                bucket=args.state_bucket,
                role=grant.role,
                member=account.member,
                condition=(
                    storage.BucketIAMMemberConditionArgs(title=grant.on, expression=narrowed)
                    if narrowed
                    else None
                ),
                opts=self._child,
            )
        elif grant.kind == KEY:
            kms.CryptoKeyIAMMember(
                name,
                crypto_key_id=args.secrets_key,
                role=grant.role,
                member=account.member,
                opts=self._child,
            )
