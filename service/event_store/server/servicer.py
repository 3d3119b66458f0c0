"""Implement the methods of the contract: check a request, call the part that does the work, answer."""

# ruff: noqa: N802, D102 # the methods bear the contract's names, and it describes them
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Final

from event_store.contract.append_request import HasNoRoute, canonical_uuid, not_a_uuid, prepare_request
from event_store.contract.read_request import event_filter
from event_store.contract.replay_request import limit_of, prepare_replay, replay_id_of
from event_store.errors import InvalidArgumentError, OverloadedError
from event_store.log.appender import Appender
from event_store.log.live_tail import LiveLog
from event_store.log.page import LARGEST_MESSAGE_BYTES
from event_store.log.reader import Reader, start_of
from event_store.log.snapshots import SnapshotTable, prepare_snapshot
from event_store.replay.store import ReplayTable
from event_store.server.append_stream_call import Pipeline
from event_store.server.call_errors import Answering, Context
from event_store.server.import_call import MOST_IMPORTS, Importer
from event_store.server.status_query import Overview
from event_store.server.stream_limit import StreamLimit
from event_store.server.subscribe_call import Follower
from event_store.v1 import event_store_pb2 as pb
from event_store.v1 import event_store_pb2_grpc

_IMPORT_RETRY_SECONDS: Final = 1.0
_STOPPING: Final = "the service is stopping"


class EventStoreServicer(event_store_pb2_grpc.EventStoreServicer):
    """Answers calls of the service `event_store.v1.EventStore`.

    Args:
        appender: Stores appends.
        reader: Reads events.
        snapshots: Saves and reads snapshots.
        replays: Starts and controls replays.
        live_log: Holds the end of the log for subscriptions.
        new_importer: Makes the handler of a call of `ImportEvents`.
        overview: Reads the status.
        has_no_route: See `prepare_request`.
        limit: The time limit of streams.
    """

    def __init__(  # noqa: PLR0913, PLR0917 # each part of the service
        self,
        appender: Appender,
        reader: Reader,
        snapshots: SnapshotTable,
        replays: ReplayTable,
        live_log: LiveLog,
        new_importer: Callable[[Context], Importer],
        overview: Overview,
        has_no_route: HasNoRoute | None,
        limit: StreamLimit,
    ) -> None:
        self._appender = appender
        self._reader = reader
        self._snapshots = snapshots
        self._replays = replays
        self._live_log = live_log
        self._new_importer = new_importer
        self._overview = overview
        self._has_no_route = has_no_route
        self._limit = limit
        self._pipelines: set[Pipeline] = set()
        self._importers: set[Importer] = set()

    async def AppendEvents(
        self, request: pb.AppendEventsRequest, context: Context
    ) -> pb.AppendEventsResponse:
        async with Answering(context):
            return await self._appender.append(prepare_request(request, self._has_no_route))

    async def AppendEventsStream(
        self, _requests: AsyncIterator[pb.AppendEventsRequest], context: Context
    ) -> None:
        pipeline = Pipeline(self._appender, self._has_no_route, context)
        self._pipelines.add(pipeline)
        try:
            async with Answering(context):
                with self._limit.stopping(pipeline.stop):
                    await pipeline.run()
        finally:
            self._pipelines.discard(pipeline)

    async def ReadAggregate(
        self, request: pb.ReadAggregateRequest, context: Context
    ) -> AsyncIterator[pb.ReadAggregateResponse]:
        async with Answering(context):
            parts = self._reader.read_aggregate(
                _aggregate_id(request), request.from_version, request.limit, backwards=request.backwards
            )
            # The next page is read when the client has taken this one.
            async for part in self._limit.bounded(parts):
                yield part

    async def ReadAll(
        self, request: pb.ReadAllRequest, context: Context
    ) -> AsyncIterator[pb.ReadAllResponse]:
        async with Answering(context):
            start = await start_of(request, self._reader)
            selected = event_filter(request.filter)
            parts = self._reader.read_all(start, request.limit, selected, backwards=request.backwards)
            async for part in self._limit.bounded(parts):
                yield part

    async def Subscribe(
        self, request: pb.SubscribeRequest, context: Context
    ) -> AsyncIterator[pb.SubscribeResponse]:
        async with Answering(context):
            selected = event_filter(request.filter)
            follower = Follower(self._reader, self._live_log, request.after_position, selected)
            async with aclosing(self._limit.bounded(follower.follow())) as responses:
                async for response in responses:
                    yield response

    async def SaveSnapshot(
        self, request: pb.SaveSnapshotRequest, context: Context
    ) -> pb.SaveSnapshotResponse:
        async with Answering(context):
            return pb.SaveSnapshotResponse(saved=await self._snapshots.save(prepare_snapshot(request)))

    async def GetSnapshot(self, request: pb.GetSnapshotRequest, context: Context) -> pb.GetSnapshotResponse:
        async with Answering(context):
            return pb.GetSnapshotResponse(snapshot=await self._snapshots.get(_aggregate_id(request)))

    async def LoadAggregate(
        self, request: pb.LoadAggregateRequest, context: Context
    ) -> AsyncIterator[pb.LoadAggregateResponse]:
        async with Answering(context):
            async for response in self._limit.bounded(self._load(_aggregate_id(request))):
                yield response

    async def ImportEvents(self, _requests: AsyncIterator[pb.ImportEventsRequest], context: Context) -> None:
        async with Answering(context):
            if len(self._importers) >= MOST_IMPORTS:
                raise OverloadedError(
                    f"{MOST_IMPORTS} imports are running, the most of an instance: retry later",
                    _IMPORT_RETRY_SECONDS,
                )
            importer = self._new_importer(context)
            self._importers.add(importer)
            try:
                with self._limit.stopping(importer.stop):
                    await importer.run()
            finally:
                self._importers.discard(importer)

    async def StartReplay(self, request: pb.StartReplayRequest, context: Context) -> pb.Replay:
        async with Answering(context):
            return await self._replays.start(prepare_replay(request))

    async def GetReplay(self, request: pb.GetReplayRequest, context: Context) -> pb.Replay:
        async with Answering(context):
            return await self._replays.get(replay_id_of(request))

    async def ListReplays(self, request: pb.ListReplaysRequest, context: Context) -> pb.ListReplaysResponse:
        async with Answering(context):
            return pb.ListReplaysResponse(replays=await self._replays.newest(limit_of(request)))

    async def PauseReplay(self, request: pb.PauseReplayRequest, context: Context) -> pb.Replay:
        async with Answering(context):
            return await self._replays.turn(replay_id_of(request), "paused")

    async def ResumeReplay(self, request: pb.ResumeReplayRequest, context: Context) -> pb.Replay:
        async with Answering(context):
            return await self._replays.turn(replay_id_of(request), "running")

    async def CancelReplay(self, request: pb.CancelReplayRequest, context: Context) -> pb.Replay:
        async with Answering(context):
            return await self._replays.turn(replay_id_of(request), "cancelled")

    async def GetStatus(self, _request: pb.GetStatusRequest, context: Context) -> pb.GetStatusResponse:
        async with Answering(context):
            return await self._overview.status()

    async def _load(self, aggregate_id: str) -> AsyncGenerator[pb.LoadAggregateResponse, None]:
        snapshot = await self._snapshots.get(aggregate_id)
        # Events never change and their versions have no gap: those after the snapshot fit to it.
        first = snapshot.event_version + 1 if snapshot is not None else 1
        async for part in self._reader.read_aggregate(aggregate_id, first, 0, backwards=False):
            response = pb.LoadAggregateResponse(
                snapshot=snapshot, events=part.events, head_position=part.head_position
            )
            if snapshot is not None and response.ByteSize() > LARGEST_MESSAGE_BYTES:
                yield pb.LoadAggregateResponse(snapshot=snapshot, head_position=part.head_position)
                response.ClearField("snapshot")
            yield response
            snapshot = None

    def stop(self) -> None:
        """End the endless streams, after the requests that they have read are answered."""
        for pipeline in self._pipelines:
            pipeline.stop(_STOPPING)
        for importer in self._importers:
            importer.stop(_STOPPING)


def _aggregate_id(request: pb.ReadAggregateRequest | pb.GetSnapshotRequest | pb.LoadAggregateRequest) -> str:
    aggregate_id = canonical_uuid(request.aggregate_id)
    if aggregate_id is None:
        raise InvalidArgumentError.of("aggregate_id", not_a_uuid(request.aggregate_id))
    return aggregate_id
