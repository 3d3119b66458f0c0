"""The Pub/Sub of the local Google Cloud, and the clients that manage it."""

from collections.abc import Awaitable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import grpc.aio
from google.api_core import exceptions
from google.pubsub_v1.services.publisher import PublisherAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.schema_service import SchemaServiceAsyncClient
from google.pubsub_v1.services.schema_service.transports import SchemaServiceGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber import SubscriberAsyncClient
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport

from local_gcp.errors import SetupError
from local_gcp.pubsub_api.google_emulator import OfficialEmulator
from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import Place
from local_gcp.system.ports import refuse_taken_port
from pubsub_emulator import ListenError, PubSubServer
from pubsub_emulator.access.permissions import Judge

CALL_SECONDS: Final = 20.0
CALL: Final[Mapping[str, Any]] = {"retry": None, "timeout": CALL_SECONDS}
_DAY_SECONDS: Final = 86_400


class Broker:
    """A running Pub/Sub: `async with Broker(...) as broker: ... broker.address`.

    Args:
        choice: `embedded`, `emulator` for Google's own, or the HOST:PORT of a Pub/Sub that already runs.
        port: The port of the embedded Pub/Sub or the emulator.
        exports: The directory of the embedded Pub/Sub's exports, in place of Cloud Storage and BigQuery.
        judge: Judges each call of the embedded Pub/Sub; None allows everything.
    """

    def __init__(
        self, choice: str, port: int, exports: Path | None = None, judge: Judge | None = None
    ) -> None:
        self._port = port
        self._server: PubSubServer | OfficialEmulator | None = None
        if choice == "embedded":
            self._server = PubSubServer(port=port, exports=exports, service_agent=_service_agent, judge=judge)
        elif choice == "emulator":
            self._server = OfficialEmulator(port=port)
        self.address = choice
        self.exports = exports if choice == "embedded" else None
        # Google's emulator rejects more than 7 days, while Google accepts 31.
        self.longest_retention_seconds = 31 * _DAY_SECONDS if choice == "embedded" else 7 * _DAY_SECONDS
        self._channel: Any = None
        self.publisher: Any = None
        self.subscriber: Any = None
        self.schemas: Any = None

    async def __aenter__(self) -> Self:
        if self._server is not None:
            refuse_taken_port(self._port, "--pubsub-port")
            try:
                await self._server.start()
            except ListenError as error:
                raise SetupError(str(error)) from None
            self.address = self._server.address
        self._channel = grpc.aio.insecure_channel(self.address, options=(("grpc.enable_http_proxy", 0),))
        self.publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=self._channel))
        self.subscriber = SubscriberAsyncClient(
            transport=SubscriberGrpcAsyncIOTransport(channel=self._channel)
        )
        self.schemas = SchemaServiceAsyncClient(
            transport=SchemaServiceGrpcAsyncIOTransport(channel=self._channel)
        )
        if self._server is None:
            await self._refuse_silence()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()
        if self._server is not None:
            await self._server.stop()

    async def _refuse_silence(self) -> None:
        try:
            await self.publisher.list_topics(project="projects/any", retry=None, timeout=CALL_SECONDS / 4)
        except exceptions.GoogleAPICallError as error:
            raise SetupError(
                f"no Pub/Sub answers at PUBSUB_EMULATOR_HOST={self.address} ({error.message}): "
                "start it, or unset the variable to use the embedded one"
            ) from None


def _service_agent(project: str) -> str:
    return Place(project).service_agent("pubsub")


@contextmanager
def google_errors() -> Iterator[None]:
    """Turn errors of Google's clients into ours; no other code does."""
    try:
        yield
    except exceptions.GoogleAPICallError as error:
        raise CloudError(f"googleapi: Error {error.code}: {error.message}") from error


async def exists(asked: Awaitable[object]) -> bool:
    """Await a read from Pub/Sub, and tell whether the resource exists."""
    with google_errors():
        try:
            await asked
        except exceptions.NotFound:
            return False
    return True
