"""Edits of who is told, and of what."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_LESS_SAFE: Final = "loses no data, but "


def _edit(name: str, *patches: tuple[str, str, str], **what: Any) -> Edit:
    program = tuple(Patch(f"components/monitoring/{file}", old, new) for file, old, new in patches)
    return Edit(name=name, base="prod-unprotected", program=program, **what)


EDITS: Final = (
    _edit(
        "switch-every-alert-off",
        ("monitoring.py", "enabled=True", "enabled=False"),
        headline=_LESS_SAFE,
        says=("nobody is told by it any more",),
    ),
    _edit(
        "tell-somebody-else",
        config={"monitoring.emails": ["other@example.com"]},
        headline=_LESS_SAFE,
        says=("nobody is told by it any more", "monitoring-channel-oncall@example.com"),
    ),
    _edit(
        "tell-somebody-else-too",
        config={"monitoring.emails": ["oncall@example.com", "other@example.com"]},
        **HARMLESS,
    ),
    _edit(
        "tell-later",
        config={"monitoring.unacknowledged_minutes": 10_080, "monitoring.relay_lag_seconds": 86_400},
        headline=_LESS_SAFE,
        says=("people are told later",),
    ),
    _edit("tell-sooner", config={"monitoring.unacknowledged_minutes": 5}, **HARMLESS),
    _edit(
        "tell-when-all-is-well",
        ("alert.py", 'f"{expression} > {self.above:g}"', 'f"{expression} < {self.above:g}"'),
        headline=_LESS_SAFE,
        says=("it looks at something else than before",),
    ),
    _edit(
        "look-at-everything-but-what-is-ours",
        (
            "series.py",
            '("!=", value[1:]) if value.startswith("!") else ("=", value)',
            '("=", value[1:]) if value.startswith("!") else ("!=", value)',
        ),
        headline=_LESS_SAFE,
        says=("it looks at something else than before",),
    ),
    _edit(
        "tell-only-when-it-is-over",
        ("alert.py", 'notification_prompts=["OPENED", "CLOSED"]', 'notification_prompts=["CLOSED"]'),
        headline=_LESS_SAFE,
        says=("nobody is told by it any more",),
    ),
    _edit(
        "call-every-alert-a-warning",
        ("monitoring.py", "severity=alert.severity", 'severity="WARNING"'),
        headline=_LESS_SAFE,
        says=("less urgent",),
    ),
    _edit(
        "count-no-line-of-the-log",
        ("logged.py", '{field} >= 0"', '{field} >= 9999"'),
        headline=_LESS_SAFE,
        says=("may no longer see",),
    ),
    _edit(
        "write-the-metrics-to-other-names",
        ("logged.py", 'name=f"{service}/{field}"', 'name=f"{service}-v2/{field}"'),
        headline=_LESS_SAFE,
        says=("alerts that read it",),
    ),
    _edit(
        "lead-to-the-runbook", config={"monitoring.runbook_url": "https://example.com/runbook"}, **HARMLESS
    ),
    _edit(
        "call-the-dashboard-s-alerts-otherwise", config={"monitoring.append_milliseconds": 500}, **HARMLESS
    ),
)
