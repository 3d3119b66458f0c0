"""The page of the pictures: `docs/explanation/infra.md`."""

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

What a stack consists of, in pictures and tables that `make inventory` makes from the engine's own plans.
Every input of every resource is in the [inventory](../../tests/event_store_infra/inventory), by stack.
"""
_COMPONENTS: Final = """
## The components

One component per logical entity, with its identities and grants inside. The picture is that of `prod`; an
arrow leads from what has to be there first. So the service, and the rights that it needs, wait for the
migrations, and everything waits for the APIs.
"""
_RIGHTS: Final = """
## The identities

Who has which role on what, from the one table that a test compares with what the program grants
([identities](../reference/identities.md) says why). First those of a stack:
"""
_DELIVERY_RIGHTS: Final = (
    "\nAnd those that deliver it, which [`infra/bootstrap`](../../infra/bootstrap) makes:\n"
)
_FLOW: Final = """
## The data's way

An append is done once the log has it; the relay, a reader of the log, does the rest. In `prod`:
"""
_WHOLE_FLOW: Final = """
And with everything that a [topology](../reference/topology.md) may ask for, from
[examples/topologies/everything.yaml](../../examples/topologies/everything.yaml):
"""
_FILES: Final = """
## Every resource and its file

What `prod` has:
"""
_ELSEWHERE: Final = "\nWhat other [settings](../reference/settings.md) and topologies make:\n"
_BOOTSTRAP: Final = "\nWhat the bootstrap makes, once per environment ([deploying](../howto/deploy.md)):\n"


def page(
    prod: Sequence[Resource],
    whole: Sequence[Resource],
    others: Iterable[Resource],
    bootstrap: Iterable[Resource],
) -> str:
    """Return the page, in Markdown.

    Args:
        prod: The plan of `prod`.
        whole: The plan of a stack with the topology that says everything.
        others: What plans have that ask for what neither of them does.
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
