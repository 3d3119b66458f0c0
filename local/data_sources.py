"""Data sources: what a program asks the cloud about."""

from local.errors import CloudError
from local.place import Place
from local.properties import Properties


def look_up(function: str, arguments: Properties, place: Place) -> Properties:
    """Answer a function of the gcp package.

    Raises:
        CloudError: It has no such function; the message says where to add it.
    """
    if function == "gcp:organizations/getProject:getProject":
        asked = place.of({"project": str(arguments.get("projectId", "")).removeprefix("projects/")})
        return {
            "id": f"projects/{asked.project}",
            "projectId": asked.project,
            "name": asked.project,
            "number": asked.number,
            "labels": {},
            "effectiveLabels": {},
            "pulumiLabels": {},
        }
    raise CloudError(f"the local Google Cloud has no data source {function}: add it to local/data_sources.py")
