"""A replayer in a process of its own that kills itself: `crashing_replayer.py POINT ROUTING`.

The points are those of the table in `replayer.py`; `none` replays until it is killed from outside.
"""

import asyncio
import sys
from typing import Final

from event_store.database.login import Login
from event_store.environment import Environment
from event_store.pubsub.publisher import Publisher
from event_store.replay.lease import ReplayLease
from event_store.replay.replayer import Replayer
from event_store.replay.term import ReplayTerm
from event_store.topology import Routing
from tests.event_store.outbox.relay.crashing_relay import die_after, die_before, install

POINTS: Final = {
    "before a publish": (Publisher, "publish", die_before),
    "between publishes": (Publisher, "publish", die_after(Publisher.publish, 3)),
    "before a checkpoint": (ReplayLease, "checkpoint", die_before),
    "after parking": (ReplayTerm, "park", die_after(ReplayTerm.park)),
}

if __name__ == "__main__":
    install(POINTS, sys.argv[1])
    asyncio.run(Replayer(Login(Environment()), Routing.from_json(sys.argv[2])).run())
