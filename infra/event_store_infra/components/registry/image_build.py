"""The sources of the service's image."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBuild:
    """The sources that Docker builds the service's image from; relative paths begin at the program's folder.

    Attributes:
        context: The folder of the build context, for this project a checkout of its repository.
        dockerfile: The path of the Dockerfile; empty for `Dockerfile` in the context.
    """

    context: str
    dockerfile: str = ""
