"""A bus of another team's own, in a program of its own."""

import pulumi

from event_store.topology import Topology
from event_store_infra import EventBus, EventBusArgs

TOPOLOGY = """
topics:
  - name: orders
    messageRetentionDuration: 1d
subscriptions:
  - name: invoices
    topic: orders
    ackDeadlineSeconds: 30
routes:
  - {aggregateType: Order, topics: [orders]}
"""

bus = EventBus(
    "orders",
    EventBusArgs(
        project="other-team",
        region="europe-west1",
        prefix="orders",
        topology=Topology.parse(TOPOLOGY, "orders"),
        labels={"team": "orders"},
    ),
)
pulumi.export("topic", bus.topics["orders"])
