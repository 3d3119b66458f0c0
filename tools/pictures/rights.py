"""Draw the identities and their roles on resources."""

from collections.abc import Sequence

from event_store_infra.identities import Grant
from tools.pictures.drawing import PERSON, Drawing


def rights(grants: Sequence[Grant]) -> Drawing:
    """Draw grants; an arrow leads from an identity to the resource that it has roles on."""
    drawing = Drawing("LR")
    roles: dict[tuple[str, str], list[str]] = {}
    for each in grants:
        roles.setdefault((each.identity, each.on), []).append(each.role.removeprefix("roles/"))
    for identity, on in roles:
        drawing.node(identity, shape=PERSON)
        # Some roles are granted on an identity: those to impersonate it.
        drawing.node(_target(on, grants), on)
    for (identity, on), names in roles.items():
        drawing.arrow(identity, _target(on, grants), *names)
    return drawing


def _target(on: str, grants: Sequence[Grant]) -> str:
    name = on.removeprefix("the ").removeprefix("account ").strip("`")
    return name if name in {each.identity for each in grants} else on
