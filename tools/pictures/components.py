"""Draw the components: the resources of each, and the components that it depends on."""

from collections import Counter
from collections.abc import Mapping, Sequence

from tools.pictures.drawing import Drawing
from tools.pictures.resource import Resource


def components(plan: Sequence[Resource]) -> Drawing:
    """Draw the components of a plan; an arrow leads from a dependency to its dependent."""
    kinds: dict[str, Counter[str]] = {}
    component_of = {each.name: each.component for each in plan}
    needed: dict[str, set[str]] = {}
    for each in plan:
        kinds.setdefault(each.component, Counter())[each.kind] += 1
        needed.setdefault(each.component, set()).update(
            component_of[name] for name in each.after if name in component_of
        )
    needs = {name: found - {name} for name, found in needed.items()}
    drawing = Drawing("TB")
    for name, counted in kinds.items():
        drawing.node(name, name, *(_counted(*each) for each in sorted(counted.items())))
    for name, before in sorted(needs.items()):
        for first in sorted(before - _further(before, needs)):
            drawing.arrow(first, name)
    return drawing


def _counted(kind: str, count: int) -> str:
    return f"{kind} ({count})" if count > 1 else kind


def _further(names: set[str], needs: Mapping[str, set[str]]) -> set[str]:
    """Return the direct and indirect dependencies of components."""
    found: set[str] = set()
    left = {each for name in names for each in needs[name]}
    while left:
        found |= left
        left = {each for name in left for each in needs[name]} - found
    return found
