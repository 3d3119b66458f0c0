"""What tells people of trouble: alert policies, their channels, and metrics that are made of logs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from event_store_infra.preview.effects.deletion import DELETION_POLICY
from event_store_infra.preview.effects.effect import HARMLESS, Effect, Effects, Rule, less_safe
from event_store_infra.preview.effects.rules import (
    becomes,
    begins,
    changes,
    ends,
    falls,
    harmless,
    moves,
    rises,
    same,
    thins,
    towards,
)
from event_store_infra.preview.effects.workload.containers import items
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import UNKNOWN as LATER

_ALERTS: Final = "https://docs.cloud.google.com/monitoring/alerts"
_CONDITIONS: Final = "https://docs.cloud.google.com/monitoring/alerts/policies-in-api"
_CHANNELS: Final = "https://docs.cloud.google.com/monitoring/support/notification-options"
_METRICS: Final = "https://docs.cloud.google.com/logging/docs/logs-based-metrics"
_UNTOLD: Final = less_safe("nobody is told by it any more", _ALERTS)
_LATER_TOLD: Final = less_safe("people are told later, or of less", _CONDITIONS)
_OTHER: Final = less_safe("it looks at something else than before", _CONDITIONS)
_ANY: Final = changes(HARMLESS)
_ANOTHER: Final = changes(_OTHER)
_QUOTED: Final = re.compile(r'"([^"]*)"')
_NAMES: Final = re.compile(r'one_of\([^)]*\)|"[^"]*"')
# A name that is excluded, by the text before it: `!=`, or a `NOT` or `-` before the label.
_EXCLUDED: Final = re.compile(r"!=$|(?:\bNOT\s+|(?:^|[\s(])-)[\w.\"]+\s*=$")
_THRESHOLD: Final = re.compile(r"\s*([<>]=?)\s*(-?[\d.]+(?:e[+-]?\d+)?)\s*$")


def names_in(value: Any) -> frozenset[str]:
    """Return the names in quotes of all filters and queries within a value."""
    if isinstance(value, Mapping):
        return frozenset().union(*map(names_in, value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(names_in, value))
    return frozenset().union(*_parts(value).names) if isinstance(value, str) else frozenset()


def _selects(old: Any, new: Any, gone: frozenset[str]) -> Effect:
    """Judge a filter, or a query in PromQL: more names in a place of it are more that is looked at.

    Of names that it excludes more are less.
    """
    if not new:
        return _OTHER if old else HARMLESS
    if LATER in (old, new):
        return _OTHER
    before, after = (_parts(str(each)) for each in (old or "", new))
    if (before.rest, before.sign) != (after.rest, after.sign):
        return _OTHER if old else HARMLESS
    for text, *names in zip(before.rest, before.names, after.names, strict=False):
        # What is looked at, or what is not: then those count that come.
        looked, still = reversed(names) if _EXCLUDED.search(text) else names
        if missed := looked - still - gone:
            return _OTHER if still - looked else _not_looking_at(missed)
    if before.value == after.value:
        return HARMLESS
    return _LATER_TOLD if (after.value > before.value) == after.sign.startswith(">") else HARMLESS


@dataclass(frozen=True, slots=True)
class _Parts:
    """A filter or a query.

    Attributes:
        rest: The text before each place with names, and after the last one.
        names: The names in each place.
        sign: How its value is compared with the threshold at the end; empty without one.
        value: The threshold.
    """

    rest: tuple[str, ...]
    names: tuple[frozenset[str], ...]
    sign: str
    value: float


def _parts(text: str) -> _Parts:
    threshold = _THRESHOLD.search(text)
    plain = text[: threshold.start()] if threshold else text
    return _Parts(
        rest=tuple(
            " ".join(each.replace("=~", "=").replace("!~", "!=").split()) for each in _NAMES.split(plain)
        ),
        names=tuple(
            frozenset(name for quoted in _QUOTED.findall(each) for name in quoted.split("|"))
            for each in _NAMES.findall(plain)
        ),
        sign=threshold[1] if threshold else "",
        value=float(threshold[2]) if threshold else 0.0,
    )


def _not_looking_at(names: Iterable[str]) -> Effect:
    return less_safe(f"it no longer looks at {', '.join(code(each) for each in sorted(names))}", _CONDITIONS)


def of_conditions(old: Any, new: Any, gone_names: frozenset[str] = frozenset()) -> Effect:
    """Judge each condition by its name, wherever it stands in the list; a further one is harmless.

    Args:
        old: The conditions of a policy.
        new: What they would be.
        gone_names: The names of what there is no more, so that nobody has to look at it.
    """
    if LATER in (old, new):
        return _OTHER
    before, after = items(old), items(new)
    by_name = {each.get("displayName"): each for each in after}
    gone = [each for each in before if each.get("displayName") not in by_name]
    if gone and len(after) < len(before):
        return _not_looking_at(str(each.get("displayName")) for each in gone)
    pairs = ((each, by_name.get(each.get("displayName"), after[index])) for index, each in enumerate(before))
    effects = [_of_condition(*each, gone_names) for each in pairs]
    return max(effects, key=lambda effect: effect.severity, default=HARMLESS)


def _of_condition(old: Mapping[str, Any], new: Mapping[str, Any], gone_names: frozenset[str]) -> Effect:
    for kind in (each for each in old if each.startswith("condition")):
        before, after = old[kind] or {}, new.get(kind) or {}
        if not after:
            return _OTHER
        for name in sorted(before.keys() | after.keys()):
            values = before.get(name), after.get(name)
            rule = _CONDITION.get(name, _ANOTHER)
            if name in _SELECTORS:
                rule = partial(_selects, gone=gone_names)
            elif name == "thresholdValue":
                is_below = str(after.get("comparison")).startswith("COMPARISON_LT")
                rule = falls(_LATER_TOLD) if is_below else rises(_LATER_TOLD)
            if values[0] != values[1] and (effect := rule(*values)) != HARMLESS:
                return effect
    return HARMLESS


def _rarer(old: Any, new: Any) -> Effect:
    """Judge a block of numbers, of which each larger one is an alert less or later."""
    before, after = (each if isinstance(each, Mapping) else {} for each in (old, new))
    names = before.keys() | after.keys()
    rises_at = (rises(_LATER_TOLD)(before.get(name), after.get(name)) for name in names if name in _LARGER)
    return max(rises_at, key=lambda effect: effect.severity, default=HARMLESS)


# By the name of a property of a condition, of whichever kind; all others look at something else.
_SELECTORS: Final = ("denominatorFilter", "filter", "query")
_LARGER: Final = ("count", "percent", "periodicity")
_CONDITION: Final[Mapping[str, Rule]] = {
    **same(rises(_LATER_TOLD), "duration", "evaluationInterval"),
    **same(_rarer, "trigger", "daily", "hourly", "minutes"),
    **harmless("alertRule", "disableMetricValidation", "labels", "ruleGroup"),
    "labelExtractors": thins(_OTHER),
}


def _prompts(old: Any, new: Any) -> Effect:
    """Without any, people are told as an incident opens and as it is closed."""
    return _UNTOLD if new and "OPENED" not in new and (not old or "OPENED" in old) else HARMLESS


_GROUPED: Final = ("alignmentPeriod", "crossSeriesReducer", "groupByFields", "perSeriesAligner")
_WHEN: Final = ("hours", "minutes", "nanos", "seconds")
# All of a condition is judged by its name, in `blocks`.
_IN_CONDITIONS: Final = harmless(
    *("displayName", "name"),
    *(f"conditionAbsent.{each}" for each in ("duration", "filter", "trigger.count", "trigger.percent")),
    *(f"conditionAbsent.aggregations.{each}" for each in _GROUPED),
    *("conditionMatchedLog.filter", "conditionMatchedLog.labelExtractors"),
    *(
        f"conditionMonitoringQueryLanguage.{each}"
        for each in ("duration", "evaluationMissingData", "query", "trigger.count", "trigger.percent")
    ),
    *(
        f"conditionPrometheusQueryLanguage.{each}"
        for each in (
            *("alertRule", "disableMetricValidation", "duration", "evaluationInterval", "labels", "query"),
            "ruleGroup",
        )
    ),
    *(f"conditionSql.daily.executionTime.{each}" for each in _WHEN),
    *(f"conditionSql.{each}.periodicity" for each in ("daily", "hourly", "minutes")),
    *("conditionSql.booleanTest.column", "conditionSql.hourly.minuteOffset", "conditionSql.query"),
    *("conditionSql.rowCountTest.comparison", "conditionSql.rowCountTest.threshold"),
    *(f"conditionThreshold.aggregations.{each}" for each in _GROUPED),
    *(f"conditionThreshold.denominatorAggregations.{each}" for each in _GROUPED),
    *(
        f"conditionThreshold.{each}"
        for each in (
            *("comparison", "denominatorFilter", "duration", "evaluationMissingData", "filter"),
            *("forecastOptions.forecastHorizon", "thresholdValue", "trigger.count", "trigger.percent"),
        )
    ),
    at="conditions",
)
_POLICY: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **harmless("displayName", "project", "userLabels"),
    **harmless("content", "links.displayName", "links.url", "mimeType", "subject", at="documentation"),
    "enabled": ends(_UNTOLD, unset=True),
    "notificationChannels": thins(less_safe("a channel that goes is told nothing any more", _CHANNELS)),
    "severity": towards(
        *(less_safe("it reads as less urgent", _ALERTS), "CRITICAL", "ERROR", "WARNING", ""), unset=""
    ),
    "combiner": becomes(
        less_safe("people are told only when all of its conditions are met", _CONDITIONS),
        *("AND", "AND_WITH_MATCHING_RESOURCE"),
    ),
    **harmless("autoClose", at="alertStrategy"),
    "alertStrategy.notificationPrompts": _prompts,
    "alertStrategy.notificationRateLimit.period": rises(_LATER_TOLD),
    "alertStrategy.notificationChannelStrategies.notificationChannelNames": thins(
        less_safe("a channel that goes is reminded of nothing any more", _CHANNELS)
    ),
    "alertStrategy.notificationChannelStrategies.renotifyInterval": rises(_LATER_TOLD, unset=None),
    **_IN_CONDITIONS,
}
_CHANNEL: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **harmless("description", "displayName", "project", "userLabels"),
    "enabled": ends(_UNTOLD, unset=True),
    "forceDelete": begins(less_safe("its deletion takes it off every policy, unasked", _CHANNELS)),
    **same(
        moves(less_safe("somebody else is told, and whoever was told before is not", _CHANNELS)),
        "labels",
        "type",
    ),
    # A new secret of the same place.
    **harmless(
        *("authToken", "authTokenWo", "authTokenWoVersion", "password", "passwordWo", "passwordWoVersion"),
        *("serviceKey", "serviceKeyWo", "serviceKeyWoVersion"),
        at="sensitiveLabels",
    ),
}
_COUNTS: Final = changes(less_safe("alerts that read it may no longer see what they look for", _METRICS))
_METRIC: Final[Mapping[str, Rule]] = {
    **DELETION_POLICY,
    **harmless("description", "project"),  # another project is another resource
    # The provider changes a name in place: whatever reads the former one finds no more values.
    **same(_COUNTS, "bucketName", "filter", "labelExtractors", "name", "valueExtractor"),
    "disabled": begins(_UNTOLD),
    **harmless("bounds", at="bucketOptions.explicitBuckets"),
    **harmless("growthFactor", "numFiniteBuckets", "scale", at="bucketOptions.exponentialBuckets"),
    **harmless("numFiniteBuckets", "offset", "width", at="bucketOptions.linearBuckets"),
    **harmless("displayName", "labels.description", at="metricDescriptor"),
    **same(
        _COUNTS, "labels.key", "labels.valueType", "metricKind", "unit", "valueType", at="metricDescriptor"
    ),
}

POLICY: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
METRIC: Final = "gcp:logging/metric:Metric"
TABLES: Final[Mapping[str, Effects]] = {
    POLICY: Effects(gone=_UNTOLD, properties=_POLICY, blocks={"conditions": of_conditions}),
    "gcp:monitoring/notificationChannel:NotificationChannel": Effects(gone=_UNTOLD, properties=_CHANNEL),
    "gcp:monitoring/dashboard:Dashboard": Effects(gone=HARMLESS, properties={}, rest=_ANY),
    METRIC: Effects(gone=_UNTOLD, properties=_METRIC),
}
