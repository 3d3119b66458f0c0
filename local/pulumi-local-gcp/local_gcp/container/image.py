"""Images: none is built on a laptop, but a change of the build's input gives a new digest."""

from pathlib import Path

from local_gcp.container.build_context import context_hash
from local_gcp.recorded import registry
from local_gcp.resource.errors import CloudError
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record


class ImageKind(Kind):
    """An image of the docker-build package.

    Args:
        directory: The Pulumi program's folder, the base of relative paths.
    """

    limits = registry.IMAGE
    unsettled = ("contextHash", "digest", "ref")

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def identify(self, inputs: Properties, _place: Place) -> str:
        """Return the first tag, which the real provider's id contains too."""
        return str(next(iter(inputs.get("tags", [])), "untagged"))

    async def create(self, draft: Draft) -> Properties:
        """Hash the build's input.

        Raises:
            CloudError: The context or the Dockerfile does not exist.
        """
        context = self._hash(draft.inputs)
        digest = f"sha256:{context}"
        return {**draft.inputs, "contextHash": context, "digest": digest, "ref": f"{draft.id}@{digest}"}

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Hash the build's input again."""
        return await self.create(draft)

    async def delete(self, record: Record) -> None:
        """Do nothing: only the record is deleted."""

    def drifted(self, outputs: Properties, inputs: Properties) -> tuple[str, ...]:
        """Compare the files' hash with the recorded one."""
        return () if outputs.get("contextHash") == self._hash(inputs) else ("contextHash",)

    def _hash(self, inputs: Properties) -> str:
        location = inputs["context"]["location"]
        dockerfile = inputs.get("dockerfile", {}).get("location", f"{location}/Dockerfile")
        try:
            return context_hash(
                (self._directory / location).resolve(), (self._directory / dockerfile).resolve()
            )
        except OSError as error:
            raise CloudError(f"{error.filename}: {error.strerror}: the image cannot be built") from None
