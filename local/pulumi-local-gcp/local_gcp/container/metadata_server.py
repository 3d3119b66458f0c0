"""The metadata server, from which a container on Google Cloud learns its project and its identity.

Google's libraries find it through GCE_METADATA_HOST and request access tokens from it. Its tokens are
worthless outside this machine.
"""

import asyncio
import json
from contextlib import suppress
from typing import Final, Self

from local_gcp.resource.place import Place

TOKEN_SECONDS: Final = 3600
_REQUEST_SECONDS: Final = 10.0
_HEADERS: Final = "Metadata-Flavor: Google\r\nServer: Metadata Server for VM\r\nConnection: close\r\n"


class MetadataServer:
    """The server of one container: `async with MetadataServer(...) as metadata: ... metadata.variables`.

    Args:
        place: The project and region that it reports.
        email: The service account that the container runs as.
        token: The access token that it returns.
    """

    def __init__(self, place: Place, email: str, token: str) -> None:
        account = "instance/service-accounts/default"
        answer = {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
        scopes = ["https://www.googleapis.com/auth/cloud-platform"]
        about = {"aliases": ["default"], "email": email, "scopes": scopes}
        self._answers = {
            "": "computeMetadata/\n",
            "computeMetadata/v1/project/project-id": place.project,
            "computeMetadata/v1/project/numeric-project-id": place.number,
            "computeMetadata/v1/universe/universe-domain": "googleapis.com",
            "computeMetadata/v1/instance/region": f"projects/{place.number}/regions/{place.region}",
            f"computeMetadata/v1/{account}": json.dumps(about),
            f"computeMetadata/v1/{account}/email": email,
            f"computeMetadata/v1/{account}/scopes": "\n".join(scopes),
            f"computeMetadata/v1/{account}/token": json.dumps(answer),
        }
        # An account is found by its email as well as by the name `default`.
        self._answers |= {
            path.replace("/default", f"/{email}"): text
            for path, text in self._answers.items()
            if account in path
        }
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def variables(self) -> dict[str, str]:
        """The variables that lead Google's libraries to this server."""
        if self._server is None:
            return {}
        host, port = self._server.sockets[0].getsockname()
        return {"GCE_METADATA_HOST": f"{host}:{port}", "GCE_METADATA_IP": f"{host}:{port}"}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_REQUEST_SECONDS):
                request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = request.split(" ")[1].split("?")[0].strip("/")
                text = self._answers.get(path)
                status, body = ("200 OK", text) if text is not None else ("404 Not Found", "no such value")
                if path and "metadata-flavor: google" not in request.lower():
                    status, body = "403 Forbidden", "Metadata-Flavor: Google is missing"
                kind = "application/json" if body.startswith("{") else "application/text"
                about = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(f"HTTP/1.1 {status}\r\n{_HEADERS}{about}{body}".encode())
                await writer.drain()
        writer.close()
