"""The engine's calls are those of whoever has the token, and a call without a right does nothing."""

from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import provider_pb2 as pb

from local_gcp.daemon.settings import Settings
from local_gcp.daemon.state_directory import State
from local_gcp.daemon.wiring import assemble
from local_gcp.provider.cloud import Cloud
from local_gcp.provider.protocol import ProviderCalls
from local_gcp.recorded import iam, registry
from local_gcp.resource.errors import CloudError
from local_gcp.resource.place import Place
from local_gcp.resource.properties import Properties, from_struct, to_struct
from local_gcp.resource.records import Record, Records
from local_gcp.rights.callers import ANONYMOUS, OWNER, Caller
from local_gcp.rights.rights import DeniedError
from local_gcp.rights.sessions import Sessions
from local_gcp.system.child_process import Processes
from tools import ROOT

PROJECT = {"project": "p-1", "region": "europe-west1"}
EMAIL = "ci@p-1.iam.gserviceaccount.com"
MAKES = {"role": "roles/iam.serviceAccountAdmin", "project": "p-1", "member": f"serviceAccount:{EMAIL}"}
ACCOUNT = {"accountId": "runtime", "project": "p-1"}
MADE = "projects/p-1/serviceAccounts/runtime@p-1.iam.gserviceaccount.com"
TAG = "europe-west1-docker.pkg.dev/p-1/images/store:latest"


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """A local Google Cloud that enforces rights, of which nothing runs."""
    state = State(tmp_path)
    settings = Settings(service_port=0, postgres_port=0, pubsub_port=0, rights="enforce", token="secret")  # noqa: S106 # of no use
    return assemble(state, settings, Processes(state.logs), Records(None), ROOT / "infra").cloud


class EngineCalls:
    """Calls of one engine, with the credentials of its environment."""

    def __init__(self, cloud: Cloud, caller: Caller = OWNER, docker: Caller = OWNER) -> None:
        self._calls = ProviderCalls(cloud, Sessions(cloud.rights, cloud.tokens, caller, docker))

    async def call(self, name: str, request: Any, peer: str = "one") -> Any:
        return await self._calls.all[name][1](request, peer)

    async def configure(self, peer: str = "one", **config: Any) -> None:
        await self.call("Configure", pb.ConfigureRequest(args=to_struct({**PROJECT, **config})), peer)

    async def create(self, resource_type: str, inputs: Properties, peer: str = "one") -> Properties:
        urn = f"urn:pulumi:s::p::{resource_type}::it"
        request = pb.CreateRequest(urn=urn, type=resource_type, properties=to_struct(inputs))
        return from_struct((await self.call("Create", request, peer)).properties)


async def test_a_call_is_refused_without_a_right_and_passes_with_it(cloud: Cloud) -> None:
    """Making, reading, changing and deleting each need theirs; what is refused changes nothing."""
    owner, ci = EngineCalls(cloud), EngineCalls(cloud, cloud.tokens.caller(cloud.tokens.of_account(EMAIL)))
    await owner.configure()
    await ci.configure()
    kind, urn = iam.ACCOUNT.type, f"urn:pulumi:s::p::{iam.ACCOUNT.type}::it"
    update = pb.UpdateRequest(urn=urn, type=kind, id=MADE, news=to_struct({**ACCOUNT, "displayName": "it"}))
    later = (
        ("Read", pb.ReadRequest(urn=urn, type=kind, id=MADE), "get"),
        ("Update", update, "get"),
        ("Delete", pb.DeleteRequest(urn=urn, type=kind, id=MADE), "delete"),
    )

    with pytest.raises(DeniedError, match=r"iam\.serviceAccounts\.create' denied on resource 'projects/p-1'"):
        await ci.create(kind, ACCOUNT)
    assert cloud.records.find(kind, MADE) is None
    await owner.create(kind, ACCOUNT)
    for name, request, verb in later:
        with pytest.raises(DeniedError, match=rf"iam\.serviceAccounts\.{verb}' denied on resource '{MADE}'"):
            await ci.call(name, request)
    assert cloud.records.find(kind, MADE) is not None
    await owner.create(iam.PROJECT_IAM_MEMBER.type, MAKES)
    for name, request, _ in later:
        await ci.call(name, request)
    assert cloud.records.find(kind, MADE) is None


async def test_a_configured_token_comes_before_the_environment_s_credentials(cloud: Cloud) -> None:
    """`gcp:accessToken` says who calls, on its connection alone, and a wrong one nobody."""
    engine = EngineCalls(cloud)
    await engine.configure("owner's")
    await engine.configure("ci's", accessToken=cloud.tokens.of_account(EMAIL))

    with pytest.raises(DeniedError, match=EMAIL):
        await engine.create(iam.ACCOUNT.type, ACCOUNT, "ci's")
    await engine.create(iam.ACCOUNT.type, ACCOUNT, "owner's")
    with pytest.raises(CloudError, match="Error 401"):
        await engine.configure("nobody's", accessToken="local.x.y")


async def test_a_connection_that_was_not_configured_is_nobody_s(cloud: Cloud) -> None:
    """One that was lost and made again does not become the owner's."""
    with pytest.raises(CloudError, match="Error 401: the connection was lost"):
        await EngineCalls(cloud).create(iam.ACCOUNT.type, ACCOUNT)


async def test_only_who_may_be_an_account_impersonates_it(cloud: Cloud) -> None:
    """`gcp:impersonateServiceAccount` needs the right to its tokens, and then calls with its rights alone."""
    engine, email = EngineCalls(cloud), "other@p-1.iam.gserviceaccount.com"
    await engine.configure(impersonateServiceAccount=EMAIL)

    with pytest.raises(DeniedError, match=EMAIL):
        await engine.create(iam.ACCOUNT.type, ACCOUNT)
    with pytest.raises(DeniedError, match=r"getAccessToken.*serviceAccounts/other@"):
        await engine.configure(accessToken=cloud.tokens.of_account(EMAIL), impersonateServiceAccount=email)


async def test_an_image_that_may_not_be_read_is_gone(cloud: Cloud) -> None:
    """The real package takes any error for deleted: so does a refresh of whom Docker is not logged in as."""
    inputs = {"push": True, "tags": [TAG], "context": {"location": "."}}
    record = Record(type=registry.IMAGE.type, id=TAG, urn="", inputs=inputs, outputs=inputs)
    cloud.records.put(record)
    read = pb.ReadRequest(urn=f"urn:pulumi:s::p::{registry.IMAGE.type}::it", type=registry.IMAGE.type, id=TAG)
    seeing, blind = EngineCalls(cloud), EngineCalls(cloud, OWNER, ANONYMOUS)
    for engine in (seeing, blind):
        await engine.configure()
    await blind.configure(
        "logged in",
        registries=[{"username": "oauth2accesstoken", "password": cloud.tokens.of_account(EMAIL)}],
    )

    assert (await seeing.call("Read", read)).id == TAG
    assert (await blind.call("Read", read)).id == ""
    assert (await blind.call("Read", read, "logged in")).id == ""
    reads = {**MAKES, "role": "roles/artifactregistry.reader"}
    await seeing.create(iam.PROJECT_IAM_MEMBER.type, reads)
    assert (await blind.call("Read", read, "logged in")).id == TAG


@pytest.mark.parametrize("kind", [iam.SERVICE.type, iam.SERVICE_IDENTITY.type])
@pytest.mark.parametrize("other", ["urn:pulumi:two::p::it", "urn:pulumi:one::p::other"])
async def test_an_api_stays_while_anybody_declares_it(kind: str, other: str, cloud: Cloud) -> None:
    """Two stacks, or two parts of one, may enable an API or ask for its agent; one that goes takes nothing.

    https://docs.cloud.google.com/service-usage/docs/reference/rest/v1beta1/services/generateServiceIdentity
    """
    cloud.records.place = Place("p-1", "europe-west1")
    inputs = {"project": "p-1", "service": "run.googleapis.com"}
    first = await cloud.create(kind, "urn:pulumi:one::p::it", inputs)
    second = await cloud.create(kind, other, inputs)

    await cloud.delete(second, "urn:pulumi:one::p::it")
    left = cloud.records.find(kind, first.id)
    assert left is not None
    assert (left.urn, left.others) == (other, ())
    await cloud.delete(left, other)
    assert list(cloud.records) == []


async def test_a_grant_and_an_account_are_taken_over_where_google_does(cloud: Cloud) -> None:
    """A stack may grant what another has granted, and have its account if it says so; who deletes it, may."""
    cloud.records.place = Place("p-1", "europe-west1")
    one, two = "urn:pulumi:one::p::it", "urn:pulumi:two::p::it"
    grant = await cloud.create(iam.PROJECT_IAM_MEMBER.type, one, MAKES)
    await cloud.create(iam.ACCOUNT.type, one, ACCOUNT)

    assert (await cloud.create(iam.PROJECT_IAM_MEMBER.type, two, MAKES)).id == grant.id
    with pytest.raises(CloudError, match=f"409: {MADE} already exists"):
        await cloud.create(iam.ACCOUNT.type, two, ACCOUNT)
    taken = await cloud.create(iam.ACCOUNT.type, two, {**ACCOUNT, "createIgnoreAlreadyExists": True})
    for record in (grant, taken):
        await cloud.delete(record, two)
    assert list(cloud.records) == []
