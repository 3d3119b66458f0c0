"""Cloud Run jobs: commands that run to completion."""

import asyncio
from typing import Final

from local_gcp.cloudrun import run_rules
from local_gcp.cloudrun.outputs import TIME, run_outputs
from local_gcp.cloudrun.supervisor import Runner
from local_gcp.resource.errors import CloudError, NotReadyError
from local_gcp.resource.kind import Draft, Kind
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties
from local_gcp.resource.records import Record

_SUCCEEDED: Final = "EXECUTION_SUCCEEDED"
_FAILED: Final = "EXECUTION_FAILED"


class JobKind(Kind):
    """A job. An update with a `run_execution_token` runs it and waits for its success."""

    limits = run_rules.JOB
    unsettled = ("etag", "executionCount", "generation", "latestCreatedExecutions", "observedGeneration")

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def identify(self, inputs: Properties, place: Place) -> str:
        """Return the job's full name."""
        there = place.of(inputs)
        return f"projects/{there.project}/locations/{there.region}/jobs/{inputs['name']}"

    async def create(self, draft: Draft) -> Properties:
        """Run the job if it has a token."""
        return await self._run(draft, 1)

    async def update(self, record: Record, draft: Draft) -> Properties:
        """Run the job if it has a token.

        Raises:
            CloudError: An execution with this token has already succeeded.
        """
        token = draft.inputs.get("runExecutionToken")
        last = record.outputs["latestCreatedExecutions"]
        used = record.inputs.get("runExecutionToken")
        if token and token == used and last and last[0]["completionStatus"] == _SUCCEEDED:
            raise CloudError(
                f"googleapi: Error 409: execution {last[0]['name']} already exists: "
                "a run_execution_token is taken once, so it has to change with everything that shapes the job"
            )
        return await self._run(draft, int(record.outputs["generation"]) + 1)

    async def delete(self, record: Record) -> None:
        """Do nothing: only the record is deleted."""

    async def _run(self, draft: Draft, generation: int) -> Properties:
        token = draft.inputs.get("runExecutionToken")
        if not token:
            return _outputs(draft, generation, "", "")
        execution = f"{draft.inputs['name']}-{token}"
        template = draft.inputs["template"]["template"]
        for _ in range(template["maxRetries"] + 1):
            failure = await self._attempt(draft, execution)
            if failure is None:
                return _outputs(draft, generation, execution, _SUCCEEDED)
        raise NotReadyError(
            f"execution {execution} failed: {failure}",
            draft.id,
            draft.inputs,
            _outputs(draft, generation, execution, _FAILED),
        )

    async def _attempt(self, draft: Draft, execution: str) -> str | None:
        """Run the job once; return what went wrong, or None."""
        template = draft.inputs["template"]["template"]
        name = f"job-{draft.inputs['name']}"
        given = {"CLOUD_RUN_JOB": draft.inputs["name"], "CLOUD_RUN_EXECUTION": execution}
        running = await self._runner.start(name, template, draft.place.of(draft.inputs), given)
        seconds = float(template.get("timeout", "600s")[:-1])
        try:
            async with asyncio.timeout(seconds):
                code = await running.child.wait()
            what = f"its command exited with {code}"
        except TimeoutError:
            code, what = -1, f"its command ran longer than {seconds:.0f} s"
        finally:
            await running.stop()
        child = running.child
        return None if code == 0 else f"{what}. The end of {child.log_path}:\n{child.tail()}"


def _outputs(draft: Draft, generation: int, execution: str, status: str) -> Properties:
    executions = [{"name": execution, "createTime": TIME, "completionStatus": status}] if execution else []
    return run_outputs(
        draft,
        generation,
        executionCount=generation if execution else 0,
        latestCreatedExecutions=executions,
    )
