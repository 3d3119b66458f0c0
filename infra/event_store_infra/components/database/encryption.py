"""The grants of a database's service agent on the team's own keys."""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import kms, projects


def short_name(key: str) -> str:
    """Return the logical name of a key: `P.L.R.K` of `projects/P/locations/L/keyRings/R/…`.

    A grant is named by its key, so that it is the same resource when the key is no longer the present one.
    """
    return ".".join(key.split("/")[1::2])


def may_encrypt(
    name: str,
    project: str,
    api: str,
    keys: Sequence[str],
    opts: pulumi.ResourceOptions,
    *,
    is_delivered: bool,
) -> list[pulumi.Resource]:
    """Grant an API's service agent the use of keys; return the grants to wait for.

    Args:
        name: The beginning of the names in the program.
        project: The id of the project.
        api: As in `sqladmin.googleapis.com`.
        keys: The keys' full names, each once, the present one first; empty for none.
        opts: The options of the component's children.
        is_delivered: Whether CI deploys, which may not grant on a key: its owner does.
    """
    if not keys or is_delivered:
        return []
    agent = projects.ServiceIdentity(f"{name}-agent", project=project, service=api, opts=opts)
    made: list[pulumi.Resource] = []
    for key in keys:
        # A stack's only grant was not named by its key before. If that is not the first of these keys, it is
        # deleted before any is made: a deletion at the end would take the new grant of its key away.
        before = pulumi.ResourceOptions(
            aliases=None if made else [pulumi.Alias(name=f"{name}-key")],
            delete_before_replace=not made,
            depends_on=made[:1],
        )
        made.append(
            kms.CryptoKeyIAMMember(
                f"{name}-key-{short_name(key)}",
                crypto_key_id=key,
                role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
                member=agent.member,
                opts=pulumi.ResourceOptions.merge(opts, before),
            )
        )
    return made
