"""Images: nothing is built on a laptop, but a change of what would be built is a new digest."""

from pathlib import Path

from local_gcp.container.build_context import context_hash
from local_gcp.recorded import registry
from local_gcp.resource.errors import CloudError
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record


class ImageKind(Kind):
    """An image of the package docker-build.

    Args:
        directory: The Pulumi program's folder, which relative paths begin at.
    """

    limits = registry.IMAGE
    unsettled = ("contextHash", "digest", "ref")

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def identify(self, inputs: Properties, _place: Place) -> str:
        """Return its first tag, which the real provider's id is a part of too."""
        return str(next(iter(inputs.get("tags", [])), "untagged"))

    async def create(self, draft: Draft) -> Properties:
        """Hash what would be built.

        Raises:
            CloudError: The context or the Dockerfile is missing.
        """
        context = self._hash(draft.inputs)
        digest = f"sha256:{context}"
        return {**draft.inputs, "contextHash": context, "digest": digest, "ref": f"{draft.id}@{digest}"}

    async def update(self, _record: Record, draft: Draft) -> Properties:
        """Hash it again."""
        return await self.create(draft)

    async def delete(self, record: Record) -> None:
        """There is nothing to delete but the record."""

    def drifted(self, outputs: Properties, inputs: Properties) -> tuple[str, ...]:
        """Compare the files with what was built from them."""
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
