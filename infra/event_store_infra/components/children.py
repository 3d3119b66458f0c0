"""The options that a component hands to its children."""

from collections.abc import Sequence

import pulumi


def child_options(
    parent: pulumi.Resource,
    opts: pulumi.ResourceOptions | None,
    *,
    after: Sequence[pulumi.Resource] = (),
) -> pulumi.ResourceOptions:
    """Return options for a child of `parent` that waits for what the component itself waits for.

    Pulumi's Python SDK hands a component's providers on to its children, but not its `depends_on`.

    Args:
        parent: The component.
        opts: The options that the component was made with.
        after: More resources that the child waits for.
    """
    inherited = pulumi.ResourceOptions(parent=parent, depends_on=opts.depends_on if opts else None)
    return pulumi.ResourceOptions.merge(inherited, pulumi.ResourceOptions(depends_on=list(after)))
