"""Write the page of the pictures: `docs/explanation/infra.md`."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from event_store_infra.identities import GRANTS, grants_of
from tools.pictures.components import components
from tools.pictures.files import files
from tools.pictures.flow import flow
from tools.pictures.resource import Resource
from tools.pictures.rights import rights

BOOTSTRAP_FOLDER: Final = "infra/bootstrap/"
_DELIVERY: Final = ("deployer", "previewer", "workflow deploy", "workflow preview", "workflow drift")

_INTRODUCTION: Final = """\
# The infrastructure

`make inventory` makes these pictures and tables of a stack from the engine's own plans.
Every input of every resource is in the [inventory](../../tests/event_store_infra/inventory), by stack.
"""
_COMPONENTS: Final = """
## The components

There is one component per logical entity, with its identities and grants inside. The picture shows `prod`. An
arrow leads from a component to those that wait for it. So the service and its rights wait for the migrations,
and everything waits for the APIs.
"""
_RIGHTS: Final = """
## The identities

These are the roles of each identity, from one table that a test compares with the program's grants. The page
on [identities](../reference/identities.md) has the reasons. First those of a stack:
"""
_DELIVERY_RIGHTS: Final = "\nAnd those of CI, which [`infra/bootstrap`](../../infra/bootstrap) makes:\n"
_FLOW: Final = """
## The data's way

An append is complete once it is in the log. The relay, a reader of the log, publishes it. In `prod`:
"""
_WHOLE_FLOW: Final = """
And with every key of a [topology](../reference/topology.md), from
[examples/topologies/everything.yaml](../../examples/topologies/everything.yaml):
"""
_FILES: Final = """
## Every resource and its file

Resources of `prod`:
"""
_ELSEWHERE: Final = "\nResources of other [settings](../reference/settings.md) and topologies:\n"
_BOOTSTRAP: Final = "\nResources of the bootstrap, once per environment ([deploying](../howto/deploy.md)):\n"


def page(
    prod: Sequence[Resource],
    whole: Sequence[Resource],
    others: Iterable[Resource],
    bootstrap: Iterable[Resource],
) -> str:
    """Return the page, in Markdown.

    Args:
        prod: The plan of `prod`.
        whole: The plan of a stack whose topology uses every setting.
        others: Resources of other plans, for settings that neither of the two uses.
        bootstrap: The plan of the bootstrap.
    """
    stack = grants_of(*{each.identity for each in GRANTS} - {*_DELIVERY})
    parts: list[object] = [
        *(_INTRODUCTION, _COMPONENTS, components(prod)),
        *(_RIGHTS, rights(stack), _DELIVERY_RIGHTS, rights(grants_of(*_DELIVERY))),
        *(_FLOW, flow(prod), _WHOLE_FLOW, flow(whole)),
        *(_FILES, *files(prod), _ELSEWHERE, *files(chain(whole, others), beside=prod)),
        *(_BOOTSTRAP, *files(bootstrap, BOOTSTRAP_FOLDER)),
    ]
    return "\n".join(map(str, parts)) + "\n"
