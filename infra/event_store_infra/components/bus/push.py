"""The identity that push requests carry."""

from collections.abc import Iterable

import pulumi
from pulumi_gcp import cloudrunv2

from event_store.topology.delivery import Push
from event_store_infra.components.bus.agent import Agent
from event_store_infra.components.delivery.account import account


class PushIdentity:
    """The service account of push requests, which may call their endpoints and nothing else.

    Args:
        name: What the names in the program begin with.
        project: The id of the project.
        prefix: The beginning of the account's name.
        agent: What makes the tokens.
        is_delivered: Whether CI deploys, so that the bootstrap has made the account and its rights.
        opts: Options of the account.
    """

    def __init__(
        self,
        name: str,
        project: str,
        prefix: str,
        agent: Agent,
        opts: pulumi.ResourceOptions,
        *,
        is_delivered: bool,
    ) -> None:
        self._name, self._project, self._agent, self._opts = name, project, agent, opts
        self._is_delivered = is_delivered
        self.account = account(
            f"{name}-push",
            project=project,
            account_id=f"{prefix}-push",
            about="push subscriptions",
            is_delivered=is_delivered,
            opts=opts,
        )
        self.grants: list[pulumi.Resource] = []

    def may_push(self, pushes: Iterable[Push], region: str) -> None:
        """Grant Pub/Sub the creation of its tokens, and the account the call of each Cloud Run service."""
        if not self._is_delivered:
            self.grants.append(self._agent.may_sign_as(self.account))
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
