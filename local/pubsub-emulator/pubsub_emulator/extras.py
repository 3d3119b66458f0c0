"""Optional packages: reject a request that needs one which is not installed."""

from importlib.util import find_spec

from pubsub_emulator.errors import UnimplementedError


def check_installed(package: str, extra: str, purpose: str) -> None:
    """Reject a request that needs a package which is not installed.

    Args:
        package: The package's import name.
        extra: The extra of this distribution that installs it.
        purpose: The feature that needs it, for the error.

    Raises:
        UnimplementedError: The package is not installed.
    """
    if find_spec(package) is None:
        raise UnimplementedError(
            f"The local Pub/Sub needs the package {package} for {purpose}: install pubsub-emulator[{extra}],"
            " or try it on Google Cloud."
        )
