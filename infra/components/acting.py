"""The deployer's right to start containers that act as an account of the stack."""

import pulumi
from pulumi_gcp import serviceaccount


def acting(
    name: str, account: serviceaccount.Account, deployer: str, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Let the deployer act as an account, and as no other; return what its containers wait for.

    Args:
        name: The name of the grant in the program.
        account: The account.
        deployer: The email of the deployer's account; empty where only persons deploy.
        opts: The options of the component's children.
    """
    if not deployer:
        return []
    return [
        serviceaccount.IAMMember(
            name,
            service_account_id=account.name,
            role="roles/iam.serviceAccountUser",
            member=f"serviceAccount:{deployer}",
            opts=opts,
        )
    ]
