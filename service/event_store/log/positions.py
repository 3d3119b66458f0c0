"""The positions that the times of a request stand for."""

from event_store.contract.read_request import microseconds_of
from event_store.contract.replay_request import PreparedReplay
from event_store.log.reader import Reader
from event_store.v1 import event_store_pb2 as pb


async def start_of(request: pb.ReadAllRequest, reader: Reader) -> int | None:
    """Return the position that a read begins with; None is the end that it comes from.

    Raises:
        InvalidArgumentError: The time is none.
    """
    if request.WhichOneof("start") != "from_time":
        return request.from_position or None
    microseconds = microseconds_of(request.from_time, "from_time", round_up=not request.backwards)
    if request.backwards:
        return await reader.position_at(microseconds + 1) - 1
    return await reader.position_at(microseconds)


async def range_of(prepared: PreparedReplay, reader: Reader) -> tuple[int, int]:
    """Return the first and the last position of a replay, the last one at the head or before it."""
    first = prepared.from_position or 1
    if prepared.from_microseconds is not None:
        first = await reader.position_at(prepared.from_microseconds)
    last = await reader.head_position()
    if prepared.to_microseconds is not None:
        last = min(last, await reader.position_at(prepared.to_microseconds + 1) - 1)
    elif prepared.to_position:
        last = min(last, prepared.to_position)
    return first, last
