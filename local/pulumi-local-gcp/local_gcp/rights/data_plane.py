"""Judges the calls of running programs by their tokens; a call without a token is the machine owner's."""

from local_gcp.resource.errors import CloudError
from local_gcp.resource.records import Records
from local_gcp.rights.callers import OWNER, Tokens
from local_gcp.rights.rights import DeniedError, Rights
from pubsub_emulator.access.permissions import Judge
from pubsub_emulator.errors import PermissionDeniedError, UnauthenticatedError


def pubsub_judge(rights: Rights, tokens: Tokens, records: Records) -> Judge:
    """Return the judge of Pub/Sub's calls.

    A permitted call is not judged again before a record changes: the relay publishes a thousand times a
    second, and an audit warns once.

    Args:
        rights: Judges the calls.
        tokens: Identifies callers.
        records: The recorded resources, with their grants.
    """
    passed: dict[tuple[str, str, str], int] = {}  # the number of changes of the records at that time

    def judge(token: str, permission: str, resource: str) -> None:
        call = (token, permission, resource)
        if passed.get(call) == records.changes:
            return
        try:
            rights.check(tokens.caller(token) if token else OWNER, permission, resource)
        except DeniedError as error:
            raise PermissionDeniedError(str(error)) from error
        except CloudError as error:
            raise UnauthenticatedError(str(error)) from error
        passed[call] = records.changes

    return judge
