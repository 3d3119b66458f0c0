"""Data sources: the gcp package's functions that read from the cloud."""

from local_gcp.postgres import sql_rules
from local_gcp.postgres.sql import instance_outputs
from local_gcp.resource.errors import CloudError
from local_gcp.resource.kind import Draft
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Records


def look_up(
    function: str, arguments: Properties, records: Records, *, knows_others: bool = False
) -> Properties:
    """Answer a function of the gcp package.

    Args:
        function: The function's name.
        arguments: The function's arguments.
        records: The recorded resources.
        knows_others: Whether to return unrecorded resources too, as if others had made them.

    Raises:
        CloudError: The resource does not exist, or the function is not supported.
    """
    place = records.place
    if function == "gcp:sql/getDatabaseInstance:getDatabaseInstance":
        name = str(arguments.get("name", ""))
        instance = records.find(sql_rules.INSTANCE.type, name)
        if instance is None and not knows_others:
            raise CloudError(f"googleapi: Error 404: the Cloud SQL instance {name!r} is not there, notFound")
        foreign = Draft(id=name, inputs={"name": name, "settings": {}}, place=place.of(arguments))
        outputs = instance.outputs if instance is not None else instance_outputs(foreign)
        return {**outputs, "id": name, "settings": [outputs["settings"]]}
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
    raise CloudError(
        f"the local Google Cloud has no data source {function}: add it to local_gcp/provider/data_sources.py"
    )
