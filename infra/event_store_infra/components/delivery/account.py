"""The service accounts of a stack, created by the stack or by the bootstrap."""

from dataclasses import dataclass

import pulumi
from pulumi_gcp import serviceaccount


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A service account that a container or a push request acts as.

    Attributes:
        email: Its email.
        member: As a policy names it.
        name: Its full name.
    """

    email: pulumi.Output[str]
    member: pulumi.Output[str]
    name: pulumi.Output[str]


def account(
    name: str,
    *,
    project: str,
    account_id: str,
    about: str,
    is_delivered: bool,
    opts: pulumi.ResourceOptions,
) -> Account:
    """Declare a service account, or return the one that the bootstrap has created.

    Where CI deploys, the bootstrap has made it: whoever may make accounts and grant on them may become any of
    them, and the deployer may not.

    Args:
        name: Its name in the program.
        project: The id of the project.
        account_id: What stands before the @ of its email.
        about: What acts as it, in words.
        is_delivered: Whether CI deploys the stack.
        opts: Its options.
    """
    if is_delivered:
        email = f"{account_id}@{project}.iam.gserviceaccount.com"
        return Account(
            email=pulumi.Output.from_input(email),
            member=pulumi.Output.from_input(f"serviceAccount:{email}"),
            name=pulumi.Output.from_input(f"projects/{project}/serviceAccounts/{email}"),
        )
    made = serviceaccount.Account(
        name, project=project, account_id=account_id, display_name=f"Event store: {about}", opts=opts
    )
    return Account(email=made.email, member=made.member, name=made.name)
