"""Google's language of conditions and attribute mappings, the Common Expression Language (CEL).

The CEL implementation is imported on first use, since most stacks here have no expression.
"""

from collections.abc import Collection
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from local_gcp.resource.errors import CloudError


class ExpressionError(Exception):
    """An expression cannot be evaluated: it is not CEL, or reads a missing value."""


def problem(expression: str, names: Collection[str]) -> str | None:
    """Return why an expression would be rejected in a declaration, or None.

    Args:
        expression: The text of the expression.
        names: The variables. Variables that a macro (`all`, `map`) declares are not recognized.
    """
    _check_installed()
    from celpy import Environment  # noqa: PLC0415 - a tenth of a second, which most runs do not need
    from celpy.celparser import CELParseError  # noqa: PLC0415

    try:
        tree = Environment().compile(expression)
    except CELParseError as error:
        return f"is not an expression (column {error.column}): {expression}"
    used = {str(name) for ident in tree.find_data("ident") for name in ident.children}
    if unknown := sorted(used - {*names}):
        return f"names {unknown[0]}, but has {', '.join(names)} only"
    return None


def evaluate(expression: str, **values: Any) -> Any:
    """Return the value of an expression, as a Python value.

    Args:
        expression: The text of the expression, whose value is a text or a truth value.
        values: The variables, as in JSON.

    Raises:
        ExpressionError: The text is not CEL, or reads a missing value.
    """
    _check_installed()
    from celpy import celtypes  # noqa: PLC0415 - as above
    from celpy.adapter import json_to_cel  # noqa: PLC0415
    from celpy.celparser import CELParseError  # noqa: PLC0415
    from celpy.evaluation import CELEvalError  # noqa: PLC0415

    try:
        found = _program(expression).evaluate({name: json_to_cel(value) for name, value in values.items()})
    except (CELParseError, CELEvalError) as error:
        raise ExpressionError(f"{expression}: {error.args[0]}") from error
    return bool(found) if isinstance(found, celtypes.BoolType) else str(found)


def _check_installed() -> None:
    if find_spec("celpy") is None:
        raise CloudError(
            "the package cel-python evaluates conditions and attribute mappings here, and is not installed: "
            "install pulumi-local-gcp[conditions]"
        )


@lru_cache(maxsize=256)
def _program(expression: str) -> Any:
    """Compile an expression with Google's own functions in addition to CEL's.

    https://cloud.google.com/iam/docs/conditions-attribute-reference
    """
    from celpy import Environment, celtypes  # noqa: PLC0415 - as above

    def get_attribute(api: Any, name: Any, default: Any) -> Any:
        return api.get(name, default)

    def has_only(values: Any, allowed: Any) -> Any:
        return celtypes.BoolType(all(each in allowed for each in values))

    environment = Environment()
    functions: Any = {"getAttribute": get_attribute, "hasOnly": has_only}
    return environment.program(environment.compile(expression), functions=functions)
