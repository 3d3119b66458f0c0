"""What the instances of Cloud SQL and of AlloyDB have in common: flags, TLS, who may connect, passwords."""

import fnmatch
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from event_store_infra.preview.effects.effect import HARMLESS, Effect, Rule, Severity, less_safe, stops
from event_store_infra.preview.effects.rules import arrives, becomes, either, falls, parts_from
from event_store_infra.preview.markdown import code
from event_store_infra.preview.plan.plan import UNKNOWN as LATER
from event_store_infra.preview.plan.plan import Step

_WAL: Final = "https://www.postgresql.org/docs/current/runtime-config-wal.html"
_VACUUM: Final = "https://www.postgresql.org/docs/current/routine-vacuuming.html"
_LOGGING: Final = "https://www.postgresql.org/docs/current/runtime-config-logging.html"
_CLIENT: Final = "https://www.postgresql.org/docs/current/runtime-config-client.html"
_SIZES: Final = "https://www.postgresql.org/docs/current/runtime-config-resource.html"
# Sizes, times, the planner's choices, and what is counted or logged, by shell pattern.
_HARMLESS_FLAGS: Final = (
    *("*_mem", "*_buffers", "*_cost", "*_size", "*_workers*", "*_limit", "*_threshold"),
    *("*_timeout", "*_delay", "*_interval", "*_target", "*_factor", "*_flush_after", "*_prefetch"),
    *("autovacuum_*", "auto_explain.*", "bgwriter_*", "checkpoint_*", "effective_*", "enable_*", "geqo*"),
    *("hash_*", "jit*", "log_*", "max_*", "min_*", "parallel_*", "pg_stat_statements.*", "pgaudit.*"),
    *("plan_cache_mode", "tcp_*", "track_*", "vacuum_*", "wal_*"),
)
# By what they ask of a client: the names of both products.
_TLS: Final = ("ALLOW_UNENCRYPTED_AND_ENCRYPTED", "ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")
_STOPPED_BY_TLS: Final = {
    "ENCRYPTED_ONLY": "whoever connects without TLS",
    "TRUSTED_CLIENT_CERTIFICATE_REQUIRED": "whoever has no client certificate, as service and migrations",
}


def flags(prefix: str, source: str) -> Rule:
    """Return the rule of an instance's flags as a whole, a mapping or a list of name and value.

    Flags that set a size, a time or what else is logged are harmless: our own sessions set their times
    themselves. What no rule names, and is none of those, is named.

    Args:
        prefix: What the product's own flags begin with, as in `cloudsql`.
        source: The page that lists them.
    """
    rules: Mapping[str, Rule] = {
        f"{prefix}.iam_authentication": parts_from(
            stops("every login by IAM: service, relay and migrations", source), "on"
        ),
        f"{prefix}.logical_decoding": parts_from(
            stops("whoever reads the changes by logical decoding, as Datastream does", source), "on"
        ),
        f"{prefix}.enable_pgaudit": parts_from(less_safe("statements are no longer audited", source), "on"),
        "autovacuum": becomes(
            less_safe(
                "nothing cleans up dead rows: it slows down, and stops once its numbers run out", _VACUUM
            ),
            "off",
        ),
        "synchronous_commit": becomes(
            less_safe("a crash loses events whose append was answered already", _WAL), "off"
        ),
        "full_page_writes": becomes(
            less_safe("a crash in the middle of a page can corrupt the log", _WAL), "off"
        ),
        "default_transaction_read_only": becomes(
            stops("whoever appends: every transaction reads only", _CLIENT), "on"
        ),
        "log_statement": becomes(
            less_safe(
                "what is appended is written to Cloud Logging as well, where others may read it", _LOGGING
            ),
            *("all", "mod"),
        ),
        "max_connections": falls(
            less_safe("fewer clients connect at a time: who finds none free waits, or fails", _SIZES),
            unset=None,
        ),
        "session_replication_role": becomes(
            less_safe("triggers and foreign keys are not checked", _CLIENT), "replica"
        ),
    }

    def rule(old: Any, new: Any) -> Effect:
        if LATER in (old, new):
            return stops("whoever needs a flag that it may not have any more", source)
        before, after = _by_name(old), _by_name(new)
        names = sorted(each for each in before.keys() | after.keys() if _differ(each, before, after))
        unsaid = [each for each in names if each not in rules and not _is_a_size(each)]
        told = [rules[each](before.get(each), after.get(each)) for each in names if each in rules]
        return _worst_of([*told, _unsaid(unsaid)] if unsaid else told)

    return rule


def tls(source: str, unset: str) -> Rule:
    """Return the rule of what an instance asks of a connection: more stops somebody, less is less safe.

    Args:
        source: The page that says so.
        unset: What it asks where nothing is said.
    """

    def rule(old: Any, new: Any) -> Effect:
        if new == LATER:
            return stops("whoever does not connect as it will ask for", source)
        before, after = (_asked(each, unset) for each in (old, new))
        if after > before:
            return stops(_STOPPED_BY_TLS[_TLS[after]], source)
        return less_safe("it asks less of a connection", source) if after < before else HARMLESS

    return rule


def admitted(kind: str, source: str, key: str = "") -> Rule:
    """Return the rule of a list of those that may connect: fewer stops them, more is less safe.

    Args:
        kind: What they are, in the plural, as in `networks`.
        source: The page that says so.
        key: Where each is, if the list has blocks.
    """

    def rule(old: Any, new: Any) -> Effect:
        if LATER in (old, new):
            return stops(f"whoever connects from {kind} that it will not have any more", source)
        before, after = (sorted(set(_values(each, key))) for each in (old, new))
        gone, added = [x for x in before if x not in after], [x for x in after if x not in before]
        if gone:
            return stops(f"whoever connects from the {kind} {_named(gone)}", source)
        more = less_safe(f"the {kind} {_named(added)} may connect, too", source)
        return more if added else HARMLESS

    return rule


def connectors(source: str) -> Rule:
    """Return the rule of whether only Google's connectors may connect."""
    begun = stops("whoever connects directly, as service and migrations do: only connectors may", source)
    ended = less_safe("clients may connect without Google's connectors, and so without IAM's consent", source)
    return either(becomes(begun, True, "REQUIRED"), parts_from(ended, True, "REQUIRED"))


def password(whose: str, source: str) -> Rule:
    """Return the rule of a password, or of the number that makes the provider set it again."""
    return arrives(stops(f"whoever logs in as {whose} with the former password", source))


def login_made(key: str, unset: str, source: str) -> Callable[[Step], Effect]:
    """Return what it does that a login is made: one with a password is nobody's by IAM.

    Args:
        key: Where its kind is.
        unset: The kind where nothing is said.
        source: The page that says so.
    """
    by_password = less_safe(
        "whoever has its password logs in, which IAM neither grants nor takes away", source
    )

    def told(step: Step) -> Effect:
        kind = step.new.get(key) or unset
        is_new = step.op != "update" and kind != step.old.get(key)
        return by_password if is_new and step.new and str(kind).endswith("BUILT_IN") else HARMLESS

    return told


def _is_a_size(flag: str) -> bool:
    return any(fnmatch.fnmatchcase(flag, each) for each in _HARMLESS_FLAGS)


def _unsaid(flags_: list[str]) -> Effect:
    return less_safe(f"nobody has said what a change of the flag {_named(flags_)} does", _SIZES)


def _by_name(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {str(each.get("name")): each.get("value") for each in value or () if isinstance(each, Mapping)}


def _differ(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return bool(before.get(name) != after.get(name))


def _worst_of(effects: list[Effect]) -> Effect:
    """Return one effect for several, which says all of the worst."""
    worst = max((each.severity for each in effects), default=Severity.HARMLESS)
    if worst == Severity.HARMLESS:
        return HARMLESS
    found = [each for each in effects if each.severity == worst]
    return replace(found[0], what=", and ".join(each.what for each in found))


def _asked(mode: Any, unset: str) -> int:
    return _TLS.index(mode) if mode in _TLS else _TLS.index(unset)


def _values(items: Any, key: str) -> Iterator[str]:
    for each in items or ():
        value = each.get(key) if key and isinstance(each, Mapping) else each
        if value is not None:
            yield str(value)


def _named(values: list[str]) -> str:
    return ", ".join(map(code, values))
