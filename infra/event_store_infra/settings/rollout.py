"""The settings of a canary rollout."""

from dataclasses import dataclass

from event_store_infra.settings.key import key


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSettings:
    """A canary: the latest revision beside the stable one. Without it the latest gets all traffic."""

    stable: str = key(
        "the revision that gets the rest of the traffic; the command `canary` writes it",
        pattern="[a-z][a-z0-9-]{0,61}[a-z0-9]",
        allowed="the name of a revision, as the output `revision` has it",
    )
    percent: int = key(
        "share of all requests that goes to the latest revision; 0 after a rollback",
        unit="%",
        lowest=0,
        highest=99,
    )

    @property
    def serving_revisions(self) -> int:
        """Number of revisions that serve at the same time."""
        return 2 if self.percent else 1
