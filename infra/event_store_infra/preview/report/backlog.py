"""How much a topic or a subscription holds that nobody has acknowledged, as Cloud Monitoring knows it.

Asked with Application Default Credentials, within a time limit. What it does not tell is unknown, with the
reason: no preview fails for it.
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import google.auth
import requests
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from event_store_infra.preview.effects.bus.pubsub import SUBSCRIPTION, TOPIC
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.compared import time_of
from event_store_infra.preview.plan.plan import Step

LIMIT_SECONDS: Final = 10.0
_URL: Final = "https://monitoring.googleapis.com"
# How gcloud is told of another endpoint, as of a private one: https://cloud.google.com/sdk/docs/properties
_OTHER_URL: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING"
# https://docs.cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list
_SCOPE: Final = "https://www.googleapis.com/auth/monitoring.read"
_PERMISSION: Final = "monitoring.timeSeries.list"
# Sampled each minute, and seen up to four minutes later: https://docs.cloud.google.com/monitoring/api/metrics_gcp_p_z
_PAST: Final = timedelta(minutes=15)
_NAMES_AT_ONCE: Final = 50
_ID: Final = re.compile(
    r"projects/([a-z][a-z0-9.:-]*)/(?:topics|subscriptions)/([A-Za-z][\w.~+%-]*)", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """What Cloud Monitoring calls a type.

    Attributes:
        resource: The type of the monitored resource; its label that names one is the same with `_id`.
        count: The metric of unacknowledged messages.
        age: The metric of how old the oldest one is, in seconds.
        holds: The beginning of a sentence about it.
    """

    resource: str
    count: str
    age: str
    holds: str


# https://docs.cloud.google.com/monitoring/api/metrics_gcp_p_z
_KINDS: Final[Mapping[str, _Kind]] = {
    SUBSCRIPTION: _Kind(
        resource="pubsub_subscription",
        count="pubsub.googleapis.com/subscription/num_undelivered_messages",
        age="pubsub.googleapis.com/subscription/oldest_unacked_message_age",
        holds="it holds",
    ),
    # Of all its subscriptions, also those of other stacks.
    TOPIC: _Kind(
        resource="pubsub_topic",
        count="pubsub.googleapis.com/topic/num_unacked_messages_by_region",
        age="pubsub.googleapis.com/topic/oldest_unacked_message_age_by_region",
        holds="its subscriptions hold",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A step of whose backlog is asked."""

    type: str
    project: str
    name: str
    urn: str


@dataclass(frozen=True, slots=True)
class _Value:
    """What was measured, summed up over regions, and when."""

    amount: int
    time: datetime


def ask_monitoring(steps: Sequence[Step], limit_seconds: float = LIMIT_SECONDS) -> Mapping[str, str]:
    """Return a sentence in Markdown about the backlog of each topic and subscription, by URN.

    Args:
        steps: What is asked about. Steps of other types are left out.
        limit_seconds: When to give up, in all.
    """
    asked = tuple(_asked(steps))
    found: dict[str, str] = {}
    if asked:
        # A thread that hangs, as in looking for a metadata server, ends with the process.
        thread = threading.Thread(target=_fill, args=(asked, found, limit_seconds), daemon=True)
        thread.start()
        thread.join(limit_seconds)
    late = f"Cloud Monitoring has not told within {limit_seconds:.0f} s"
    return {each.urn: dict(found).get(each.urn) or _unknown(late) for each in asked}


def say_unmeasured(steps: Sequence[Step]) -> Mapping[str, str]:
    """Return of each topic and subscription, by URN, that nobody measures the Pub/Sub of this machine."""
    unknown = _unknown("nobody measures the Pub/Sub of this machine")
    return {each.urn: unknown for each in _asked(steps)}


def _asked(steps: Sequence[Step]) -> Iterator[_Asked]:
    for step in steps:
        if step.type in _KINDS and (match := _ID.fullmatch(step.id)):
            yield _Asked(type=step.type, project=match[1], name=match[2], urn=step.urn)


def _fill(asked: Sequence[_Asked], found: dict[str, str], limit_seconds: float) -> None:
    """Ask by project and type, and note each answer as soon as it is there."""
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
        session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call] # google-auth has no types
    except GoogleAuthError as error:
        reason = _reason(error)
        found.update({each.urn: _unknown(reason) for each in asked})
        return
    groups = groupby(sorted(asked, key=_group), key=_group)
    for (project, kind), group in groups:
        every = list(group)
        for start in range(0, len(every), _NAMES_AT_ONCE):
            some = every[start : start + _NAMES_AT_ONCE]
            try:
                found.update(_answers(session, project, _KINDS[kind], some, limit_seconds))
            except (requests.JSONDecodeError, KeyError, TypeError, AttributeError, IndexError) as error:
                reason = f"Cloud Monitoring answers what cannot be read ({type(error).__name__})"
                found.update({each.urn: _unknown(reason) for each in some})
            except (GoogleAuthError, requests.RequestException, OSError, ValueError) as error:
                found.update({each.urn: _unknown(_reason(error)) for each in some})


def _group(asked: _Asked) -> tuple[str, str]:
    return asked.project, asked.type


def _answers(
    session: requests.Session, project: str, kind: _Kind, asked: Sequence[_Asked], limit_seconds: float
) -> Mapping[str, str]:
    names = [each.name for each in asked]
    counts = _latest(session, project, kind, kind.count, names, limit_seconds)
    ages = _latest(session, project, kind, kind.age, names, limit_seconds)
    nothing = _unknown(f"Cloud Monitoring has measured none of it in the last {_PAST.seconds // 60} minutes")
    return {
        each.urn: _sentence(kind, counts[each.name], ages.get(each.name)) if each.name in counts else nothing
        for each in asked
    }


def _latest(
    session: requests.Session,
    project: str,
    kind: _Kind,
    metric: str,
    names: Sequence[str],
    limit_seconds: float,
) -> Mapping[str, _Value]:
    """Return the latest value of a metric, by name: of regions the sum of counts, and the oldest age."""
    label, now = f"{kind.resource.removeprefix('pubsub_')}_id", datetime.now(UTC)
    one_of = ", ".join(f'"{each}"' for each in names)
    query = {
        "filter": f'metric.type = "{metric}" AND resource.type = "{kind.resource}" '
        f"AND resource.labels.{label} = one_of({one_of})",
        "interval.startTime": _written(now - _PAST),
        "interval.endTime": _written(now),
        "view": "FULL",
    }
    values: dict[str, _Value] = {}
    combine = sum if metric == kind.count else max
    for series in _series(session, f"projects/{project}", query, limit_seconds):
        name, points = series["resource"]["labels"][label], series.get("points") or []
        if not points:
            continue
        # The newest point comes first.
        value = _Value(int(points[0]["value"]["int64Value"]), _time(points[0]["interval"]["endTime"]))
        before = values.get(name)
        values[name] = (
            value
            if before is None
            else _Value(combine((before.amount, value.amount)), min(before.time, value.time))
        )
    return values


def _series(
    session: requests.Session, name: str, query: Mapping[str, str], limit_seconds: float
) -> Iterator[Mapping[str, Any]]:
    """Yield the time series of all pages.

    Raises:
        RequestException: It does not answer, or refuses.
    """
    url = f"{os.environ.get(_OTHER_URL) or _URL}".rstrip("/")
    token = ""
    while True:
        page = {"pageToken": token} if token else {}
        answer = session.get(f"{url}/v3/{name}/timeSeries", params={**query, **page}, timeout=limit_seconds)
        answer.raise_for_status()
        content = answer.json()
        yield from content.get("timeSeries") or []
        token = content.get("nextPageToken") or ""
        if not token:
            return


def _sentence(kind: _Kind, count: _Value, age: _Value | None) -> str:
    when = f"by Cloud Monitoring at {count.time:%H:%M} UTC"
    if not count.amount:
        return f"{kind.holds} no message that nobody has acknowledged, {when}"
    oldest = f", the oldest for {_duration(age.amount)}" if age is not None else ""
    messages = f"{count.amount:,} message{'s' * (count.amount > 1)}"
    return f"{kind.holds} {messages} that nobody has acknowledged{oldest}, {when}"


def _unknown(reason: str) -> str:
    return f"its backlog is unknown: {reason}"


def _reason(error: Exception) -> str:
    if isinstance(error, DefaultCredentialsError):
        return "there are no Application Default Credentials, see `gcloud auth application-default login`"
    if isinstance(error, GoogleAuthError):
        return f"Google gives no token: {code(str(error), 200)}"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = error.response.status_code
        needs = f"; does it allow `{_PERMISSION}`?" if status == requests.codes.forbidden else ""
        return f"Cloud Monitoring answers {status}, {code(error.response.text, 200)}{needs}"
    return f"Cloud Monitoring cannot be reached: {code(str(error), 200)}"


def _duration(seconds: int) -> str:
    parts = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    at = next((index for index, (size, _) in enumerate(parts) if seconds >= size), len(parts) - 1)
    size, unit = parts[at]
    said = f"{seconds // size} {unit}"
    if at + 1 < len(parts) and (rest := seconds % size // parts[at + 1][0]):
        said += f" {rest} {parts[at + 1][1]}"
    return said


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: object) -> datetime:
    time = time_of(text)
    if time is None:
        raise ValueError("a point without a time")
    return time
