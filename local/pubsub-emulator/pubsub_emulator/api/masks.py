"""Apply the field masks of update requests."""

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from pubsub_emulator.errors import InvalidArgumentError


def masked(current: Any, change: Any, mask: Any, mutable: frozenset[str]) -> Any:
    """Return a copy of `current` with the fields that `mask` names taken from `change`.

    Args:
        current: A Topic, Subscription or Snapshot message.
        change: A message of the same type.
        mask: A FieldMask; a field that it names and `change` lacks is cleared.
        mutable: The fields that the mask may name.

    Raises:
        InvalidArgumentError: The mask is empty, or names a field that is unknown or cannot change.
    """
    kind = current.DESCRIPTOR.name
    if not mask.paths:
        raise InvalidArgumentError(
            f"The update_mask in the Update{kind}Request must be set, and must contain a non-empty paths"
            " list."
        )
    for path in mask.paths:
        problem = ""
        if not FieldMask(paths=[path]).IsValidForDescriptor(current.DESCRIPTOR):
            problem = f"is not a known {kind} field"
        elif path.split(".")[0] not in mutable:
            problem = f"in the {kind} is not mutable"
        if problem:
            raise InvalidArgumentError(
                f"Invalid update_mask provided in the Update{kind}Request: the {path} field {problem}."
            )
    updated = type(current)()
    updated.CopyFrom(current)
    for path in mask.paths:
        # MergeMessage skips a nested field if `change` lacks its parent: set the parent to clear it.
        inner = change
        for parent in path.split(".")[:-1]:
            inner = getattr(inner, parent)
            inner.SetInParent()
    mask.MergeMessage(change, updated, replace_message_field=True, replace_repeated_field=True)
    return updated
