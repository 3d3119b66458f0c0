"""A job that logs in to its database with an access token of its own identity, for tests of jobs."""

from typing import Any

import google.auth
import google.auth.transport.requests
import psycopg

credentials: Any
credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/sqlservice.login"])
credentials.refresh(google.auth.transport.requests.Request())
assert (credentials.service_account_email, project) == ("runtime@p-1.iam.gserviceaccount.com", "p-1")
with psycopg.connect(password=credentials.token) as connection:
    connection.execute("CREATE TABLE words (word text)")
