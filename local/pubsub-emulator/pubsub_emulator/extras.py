"""What only some subscriptions and schemas need, and the refusal that names it where it is not installed."""

from importlib.util import find_spec

from pubsub_emulator.errors import UnimplementedError


def check_installed(package: str, extra: str, purpose: str) -> None:
    """Refuse what needs a package that is not installed.

    Args:
        package: Its import name.
        extra: The extra of this distribution that brings it.
        purpose: What needs it.

    Raises:
        UnimplementedError: It is not installed.
    """
    if find_spec(package) is None:
        raise UnimplementedError(
            f"The local Pub/Sub needs the package {package} for {purpose}: install pubsub-emulator[{extra}],"
            " or try it on Google Cloud."
        )
