"""What a plan was compared with: the real state, the base branch's program, or nothing.

Only a comparison with what stands can tell of a loss. So the first line of each summary says what it was, and
one with nothing never reads as if nothing were lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from event_store_infra.preview.markdown import code, one_line

_LONGEST: Final = 250  # characters of a backend or a reference
# What the engine does with what was not there before.
_MAKES: Final = frozenset({"create", "import", "read", "diff", "extend-parameterize"})
# The stack itself, which is always listed, and the providers:
# https://github.com/pulumi/pulumi/blob/v3.259.0/pkg/backend/display/json.go
_ENGINE_S_OWN: Final = "pulumi:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What stood there before, as far as the engine knew.

    Attributes:
        words: What it is, in Markdown, as in "the real state".
        updated: When it was last updated; None if nobody says.
        or_later: Whether `updated` is only the latest time that is known.
        place: Where it is, in Markdown; empty if nobody says.
        refreshed: Whether each resource was read again from Google for this plan.
        is_empty: Whether nothing stood there: the plan says nothing of a loss.
        why: Why there was nothing to compare with, in Markdown; empty if nobody says.
        is_old: Whether what stands has an age of its own: not what was made for this plan.
    """

    words: str
    updated: datetime | None = None
    or_later: bool = False
    place: str = ""
    refreshed: bool = False
    is_empty: bool = False
    why: str = ""
    is_old: bool = True

    def seen_in(self, told: "Compared") -> "Compared":
        """Return this, corrected by what the plan itself tells.

        Args:
            told: The latter.
        """
        why = self.why or f"{self.words}{self._where} has no resources"
        return replace(
            self,
            updated=self.updated or (told.updated if self.is_old else None),
            or_later=self.or_later if self.updated else told.or_later,
            refreshed=self.refreshed or told.refreshed,
            is_empty=self.is_empty or told.is_empty,
            why=why if self.is_empty or told.is_empty else "",
        )

    def __str__(self) -> str:
        """Return what the plan was compared with, in Markdown, on one line."""
        if self.is_empty:
            reason = f": {self.why}" if self.why else ""
            return f"compared with nothing, so this says nothing of a loss{reason}"
        when = f" of {_minute(self.updated)}{' or later' * self.or_later}" if self.updated else ""
        again = ", read again from Google just now" if self.refreshed else ""
        return f"compared with {self.words}{when}{self._where}{again}"

    @property
    def _where(self) -> str:
        return f" in {self.place}" if self.place else ""


def real_state(backend: str, updated: datetime | None, *, refreshed: bool) -> Compared:
    """Return that a plan was compared with the state that a backend keeps of a stack.

    Args:
        backend: Its URL.
        updated: When the stack was last updated; None for never.
        refreshed: Whether each resource was read again from Google.
    """
    place = code(without_secrets(backend), _LONGEST)
    return Compared(words="the real state", updated=updated, place=place, refreshed=refreshed)


def state_on_this_machine(*, refreshed: bool) -> Compared:
    """Return that a plan was compared with what is up here.

    Args:
        refreshed: Whether each resource was read again.
    """
    return Compared(words="what is up on this machine", refreshed=refreshed)


def program_of(reference: str, commit: str) -> Compared:
    """Return that a plan was compared with what another program brings up on the local Google Cloud.

    Args:
        reference: The branch, tag or commit that was asked for.
        commit: The commit that it stands for.
    """
    at = "" if commit.startswith(reference) else f" at {code(commit[:12])}"
    words = f"the program of {code(reference, _LONGEST)}{at} on the local Google Cloud"
    return Compared(words=words, is_old=False)


def handed_over() -> Compared:
    """Return that somebody else has compared, who may have left a part of the stack out."""
    return Compared(words="a state, in part only if the plan was made with `--target` or `--exclude`")


def nothing(why: str) -> Compared:
    """Return that there was nothing to compare with.

    Args:
        why: The reason, in Markdown.
    """
    return Compared(words="nothing", is_empty=True, why=why)


def told_by(
    steps: Sequence[Mapping[str, Any]], counts: Mapping[str, int], errors: Sequence[str] = ()
) -> Compared:
    """Return what a plan itself tells of what it was compared with.

    Args:
        steps: All steps, as the engine lists them.
        counts: Its number of resources by operation.
        errors: Why the preview failed: it may have ended before it came to what stands.

    Raises:
        ValueError: A time is none.
        TypeError: So it is.
        KeyError: A step has no operation or URN.
    """
    own = [each for each in steps if is_engine_s_own(each["urn"])]
    same = sum(each["op"] == "same" for each in own)
    stands = counts.get("same", 0) > same or any(
        each["op"] not in _MAKES for each in steps if each not in own
    )
    # Of a preview that failed only a stack that is new itself tells that there was nothing.
    stands |= bool(errors) and not any(each["op"] == "create" for each in own)
    refreshed = [each for each in steps if each["op"] == "refresh"]
    # A refresh moves the time of what has changed outside of Pulumi to now.
    times = list(_times(refreshed or steps))
    return Compared(
        words="a state",
        updated=max(times) if times else None,
        or_later=True,
        refreshed=bool(refreshed),
        is_empty=not stands,
        why="" if stands else "each of its resources is new",
    )


def time_of(text: object) -> datetime | None:
    """Return a time as the engine writes it, or None for none.

    Args:
        text: As in `2026-11-30T08:12:00.123Z`, or nothing.

    Raises:
        ValueError: It is no time.
        TypeError: It is no text.
    """
    if not text:
        return None
    time = datetime.fromisoformat(text)  # type: ignore[arg-type] # it raises TypeError
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def without_secrets(backend: str) -> str:
    """Return a backend's URL on one line, without what may be secret in it: user, password and query.

    The URL of a PostgreSQL backend has a password:
    https://github.com/pulumi/pulumi/tree/v3.259.0/pkg/backend/diy/postgres .
    """
    try:
        parts = urlsplit(backend)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "a backend whose URL cannot be read"
    return one_line(f"{parts.scheme}://{host}{parts.path}" if parts.scheme else backend)


def type_of(urn: str) -> str:
    """Return the type that a URN names, without those of the components around it."""
    return urn.split("::")[2].rpartition("$")[2]


def is_engine_s_own(urn: str) -> bool:
    """Tell whether a resource is none of the user's, as the stack itself or a provider."""
    return type_of(urn).startswith(_ENGINE_S_OWN)


def _times(steps: Sequence[Mapping[str, Any]]) -> Iterator[datetime]:
    for step in steps:
        old = step.get("oldState") or {}
        for key in ("created", "modified"):
            if (time := time_of(old.get(key))) is not None:
                yield time


def _minute(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
