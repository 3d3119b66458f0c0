"""The right of a database's service agent to use a key of the team's own."""

import pulumi
from pulumi_gcp import kms, projects


def may_encrypt(
    name: str, project: str, api: str, key: str, opts: pulumi.ResourceOptions, *, is_delivered: bool
) -> list[pulumi.Resource]:
    """Let an API's own service agent use a key; return what has to be there before it encrypts anything.

    Args:
        name: The beginning of the names in the program.
        project: The id of the project.
        api: As in `sqladmin.googleapis.com`.
        key: The key's full name; empty for none.
        opts: The options of the component's children.
        is_delivered: Whether CI deploys, which may not grant on a key: its owner does.
    """
    if not key or is_delivered:
        return []
    agent = projects.ServiceIdentity(f"{name}-agent", project=project, service=api, opts=opts)
    return [
        kms.CryptoKeyIAMMember(
            f"{name}-key",
            crypto_key_id=key,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            member=agent.member,
            opts=opts,
        )
    ]
