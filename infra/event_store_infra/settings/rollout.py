"""The settings of a canary rollout."""

from dataclasses import dataclass

from event_store_infra.settings.key import key


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutSettings:
    """A canary: the latest revision beside the stable one. Without it the latest gets all traffic."""

    stable: str = key(
        "the revision that gets what the canary does not; `make canary` writes it",
        pattern="[a-z][a-z0-9-]{0,61}[a-z0-9]",
        allowed="a revision of the service, as the output `revision` names it",
    )
    percent: int = key(
        "the part of all requests that goes to the latest revision; 0 after a rollback",
        unit="%",
        lowest=0,
        highest=99,
    )

    @property
    def serving_revisions(self) -> int:
        """How many revisions serve beside each other."""
        return 2 if self.percent else 1
