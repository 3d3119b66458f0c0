"""The identity that push requests carry."""

from collections.abc import Iterable

import pulumi
from pulumi_gcp import cloudrunv2, serviceaccount

from event_store.topology.delivery import Push
from infra.components.acting import acting
from infra.components.bus.agent import Agent


class PushIdentity:
    """One service account whose OpenID tokens Pub/Sub sends along; it may call endpoints and nothing else.

    Args:
        name: What the names in the program begin with.
        project: The id of the project.
        prefix: The beginning of the account's name.
        agent: What makes the tokens.
        deployer: The email of CI's deployer, which acts as the account; empty for none.
        opts: Options of the account.
    """

    def __init__(
        self, name: str, project: str, prefix: str, agent: Agent, deployer: str, opts: pulumi.ResourceOptions
    ) -> None:
        self._name, self._project, self._opts = name, project, opts
        self.account = serviceaccount.Account(
            f"{name}-push",
            project=project,
            account_id=f"{prefix}-push",
            display_name="Event store: push subscriptions",
            opts=opts,
        )
        self.grants = [
            agent.may_sign_as(self.account),
            *acting(f"{name}-push-deployer", self.account, deployer, opts),
        ]

    def may_call(self, pushes: Iterable[Push], region: str) -> None:
        """Grant the calling of every Cloud Run service that is named, once each."""
        for service in sorted({push.service for push in pushes if push.service}):
            self.grants.append(
                cloudrunv2.ServiceIamMember(
                    f"{self._name}-push-{service}",
                    project=self._project,
                    location=region,
                    name=service,
                    role="roles/run.invoker",
                    member=self.account.member,
                    opts=self._opts,
                )
            )
