"""Resources of Compute Engine, without the SDK's slow module."""

from collections.abc import Mapping
from importlib.metadata import version

import pulumi


class ComputeResource(pulumi.CustomResource):
    """A resource of Compute Engine, by the provider's own type and properties.

    The classes of `pulumi_gcp.compute` would do the same with types, but to import their module takes longer
    than all the rest of a preview.

    Attributes:
        name: Its physical name.
        address: The IP address, of a type that has one.
    """

    name: pulumi.Output[str]
    address: pulumi.Output[str]

    def __init__(
        self,
        kind: str,
        name: str,
        properties: Mapping[str, pulumi.Input[object] | None],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare the resource.

        Args:
            kind: The name of its class in `pulumi_gcp.compute`.
            name: Its name in the program.
            properties: The provider's, in camelCase; among them `name`; None for one that is read.
            opts: Its options.
        """
        module = kind[0].lower() + kind[1:]
        # As the SDK's classes do: another version would be another provider.
        versioned = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(version=version("pulumi_gcp")))
        super().__init__(f"gcp:compute/{module}:{kind}", name, dict(properties), versioned)
