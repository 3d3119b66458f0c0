"""The right of a database's service agent to use a key of the team's own."""

import pulumi
from pulumi_gcp import kms, projects


def may_encrypt(name: str, project: str, api: str, key: str, opts: pulumi.ResourceOptions) -> pulumi.Resource:
    """Let an API's own service agent use a key, which nothing can be encrypted with before.

    Args:
        name: The beginning of the names in the program.
        project: The id of the project.
        api: As in `sqladmin.googleapis.com`.
        key: The key's full name.
        opts: The options of the component's children.
    """
    agent = projects.ServiceIdentity(f"{name}-agent", project=project, service=api, opts=opts)
    return kms.CryptoKeyIAMMember(
        f"{name}-key",
        crypto_key_id=key,
        role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
        member=agent.member,
        opts=opts,
    )
