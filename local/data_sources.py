"""Data sources: what a program asks the cloud about."""

from local.errors import CloudError
from local.limits import sql
from local.properties import Properties
from local.records import Records


def look_up(function: str, arguments: Properties, records: Records) -> Properties:
    """Answer a function of the gcp package.

    Raises:
        CloudError: It has no such function; the message says where to add it. Or there is no such thing.
    """
    place = records.place
    if function == "gcp:sql/getDatabaseInstance:getDatabaseInstance":
        name = str(arguments.get("name", ""))
        instance = records.find(sql.INSTANCE.type, name)
        if instance is None:
            raise CloudError(f"googleapi: Error 404: the Cloud SQL instance {name!r} is not there, notFound")
        settings = instance.outputs["settings"]
        return {**instance.outputs, "id": name, "settings": [settings]}
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
