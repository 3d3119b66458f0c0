"""The service accounts of a stack that CI deploys."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import projects, serviceaccount

from event_store_infra.components.children import child_options
from event_store_infra.identities import ACCOUNTS, LOGIN_ROLES


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsArgs:
    """The arguments of `Accounts`.

    Attributes:
        project: The id of the project.
        prefix: The beginning of the accounts' ids, which is the stack's `event-store:prefix`.
        engine: The database's, a key of `LOGIN_ROLES`.
        deployer: As a policy names CI's deployer.
    """

    project: str
    prefix: str
    engine: str
    deployer: pulumi.Input[str]


class Accounts(pulumi.ComponentResource):
    """Owns the accounts of a stack, what they may do on the project, and that the deployer acts as them.

    A deployer that made them would have to be let grant on every account of the project, and so could become
    any of them. It may act as these and as no other. They are all made, whether the stack has a use for each
    or not, so that a change of the stack needs no person; what they may do on topics the stack grants.

    Attributes:
        readers: Who reads an image that the stack runs: the deployer, and Cloud Run's service agent.
    """

    readers: list[pulumi.Output[str]]

    def __init__(self, name: str, args: AccountsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("event-store:infra:Accounts", name, None, opts)
        self._name, self._args, self._child = name, args, child_options(self, opts)
        made = {identity: self._account(identity, about) for identity, about in ACCOUNTS.items()}
        for identity in ("migrator", "runtime", "relay"):
            for role in LOGIN_ROLES[args.engine]:
                projects.IAMMember(
                    f"{name}-{identity}-{role.removeprefix('roles/')}",
                    project=args.project,
                    role=role,
                    member=made[identity].member,
                    opts=self._child,
                )
        # Pub/Sub makes the tokens of push requests.
        self._grant("push-tokens", made["push"], "serviceAccountTokenCreator", self._agent("pubsub"))
        self.readers = [pulumi.Output.from_input(args.deployer), self._agent("run")]
        self.register_outputs({"readers": self.readers})

    def _account(self, identity: str, about: str) -> serviceaccount.Account:
        account = serviceaccount.Account(
            f"{self._name}-{identity}",
            project=self._args.project,
            account_id=f"{self._args.prefix}-{identity}",
            display_name=f"Event store: {about}",
            # A stack that had no deployer until now has made it.
            create_ignore_already_exists=True,
            opts=self._child,
        )
        self._grant(f"{identity}-deployer", account, "serviceAccountUser", self._args.deployer)
        return account

    def _grant(
        self, name: str, account: serviceaccount.Account, role: str, member: pulumi.Input[str]
    ) -> None:
        serviceaccount.IAMMember(
            f"{self._name}-{name}",
            service_account_id=account.name,
            role=f"roles/iam.{role}",
            member=member,
            opts=self._child,
        )

    def _agent(self, api: str) -> pulumi.Output[str]:
        """Return an API's service agent in the project, as a policy names it."""
        agent = projects.ServiceIdentity(
            f"{self._name}-agent-{api}",
            project=self._args.project,
            service=f"{api}.googleapis.com",
            opts=self._child,
        )
        return agent.member
