"""A grant that goes names who can no longer do what, and where."""

from typing import Any

import pytest

from event_store_infra.preview.effects.effect import HARMLESS, Severity
from event_store_infra.preview.judging.guard import judge
from event_store_infra.preview.report.summary import render
from tests.event_store_infra.preview.effects.judged import worst_of
from tests.event_store_infra.preview.steps import plan_of, step_of

SERVICE = "gcp:cloudrunv2/serviceIamMember:ServiceIamMember"
SUBSCRIPTION = "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember"
TOPIC = "gcp:pubsub/topicIAMMember:TopicIAMMember"
PROJECT = "gcp:projects/iAMMember:IAMMember"
PUBSUB = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
INVOKER = {"member": "user:a@example.com", "role": "roles/run.invoker", "name": "store", "project": "p-1"}


@pytest.mark.parametrize(
    ("kind", "inputs", "words"),
    [
        (SERVICE, INVOKER, "`user:a@example.com`: it loses `roles/run.invoker` on `store`"),
        (
            SUBSCRIPTION,
            {"member": "user:a", "role": "roles/pubsub.subscriber", "subscription": "projection"},
            "`user:a`: it loses `roles/pubsub.subscriber` on `projection`",
        ),
        (PROJECT, {"member": "user:a", "role": "roles/viewer", "project": "p-1"}, "on `p-1`"),
        (
            TOPIC,
            {"member": PUBSUB, "role": "roles/pubsub.publisher", "topic": "projects/p/topics/letters"},
            "dead letters to `letters`: Pub/Sub may no longer publish there",
        ),
        (
            SUBSCRIPTION,
            {"member": PUBSUB, "role": "roles/pubsub.subscriber", "subscription": "projection"},
            "dead letters from `projection`: Pub/Sub may no longer take them out",
        ),
    ],
)
def test_a_grant_that_goes_stops_its_member(kind: str, inputs: dict[str, Any], words: str) -> None:
    """Heading and line name member, role and what it was on, and it passes."""
    plan = plan_of(step_of("delete", kind, "grant", inputs))
    summary = render("prod", plan, judge(plan))

    assert judge(plan).passes
    assert f"loses no data, but stops {words}" in summary or words in summary.splitlines()[0]
    assert "### Stops somebody" in summary


def test_a_condition_is_told_by_what_it_does() -> None:
    """A grant that comes back with a condition stops where that does not hold; without one it is wider."""
    narrow = {**INVOKER, "condition": {"expression": "false"}}
    narrower, wider = (
        step_of("replace", SERVICE, "grant", INVOKER, narrow),
        step_of("replace", SERVICE, "grant", narrow, INVOKER),
    )

    assert worst_of(plan_of(narrower)).severity == Severity.STOPS
    assert "where another condition does not hold" in worst_of(plan_of(narrower)).what
    assert worst_of(plan_of(wider)).severity == Severity.LESS_SAFE
    assert "without a condition" in worst_of(plan_of(wider)).what


@pytest.mark.parametrize(
    ("member", "who"),
    [("allUsers", "everybody on the Internet"), ("allAuthenticatedUsers", "everybody with a Google account")],
)
def test_a_grant_to_everybody_is_less_safe(member: str, who: str) -> None:
    """As it is made, or as another member takes the place of one; to one person it is harmless."""
    public = {**INVOKER, "member": member}

    assert (
        worst_of(plan_of(step_of("create", SERVICE, "grant", None, public))).what
        == f"{who} has `roles/run.invoker` on `store`"
    )
    assert worst_of(plan_of(step_of("create", SERVICE, "grant", None, INVOKER))) == HARMLESS
    # The one who loses it is the worse of the two, and the other one is told as well.
    replaced = plan_of(step_of("replace", SERVICE, "grant", INVOKER, public))
    assert worst_of(replaced).severity == Severity.STOPS
    assert f"{who} has `roles/run.invoker` on `store`" in render("prod", replaced, judge(replaced))


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("roles/editor", "may change and delete what `p-1` has"),
        ("roles/cloudsql.admin", "may change and delete what `p-1` has"),
        ("roles/iam.serviceAccountTokenCreator", "may act as `p-1`"),
        ("roles/iam.workloadIdentityUser", "may act as `p-1`"),
    ],
)
def test_a_grant_by_which_data_may_go_is_less_safe(role: str, words: str) -> None:
    """Whoever may delete, or act as somebody else, is named; Google's own agents act for their products."""
    grant = {"member": "user:a@example.com", "role": role, "project": "p-1"}
    agent = {**grant, "member": "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com"}

    assert words in worst_of(plan_of(step_of("create", PROJECT, "grant", None, grant))).what
    assert (worst_of(plan_of(step_of("create", PROJECT, "grant", None, agent))) == HARMLESS) == (
        "act as" in words
    )


@pytest.mark.parametrize("role", ["roles/owner", "roles/resourcemanager.projectIamAdmin"])
def test_a_grant_of_everything_is_less_safe(role: str) -> None:
    """Whoever may grant may do anything; the same grant that goes is told by who loses it."""
    grant = {"member": "user:a@example.com", "role": role, "project": "p-1"}

    made = worst_of(plan_of(step_of("create", PROJECT, "grant", None, grant)))
    assert made.severity == Severity.LESS_SAFE
    assert "`user:a@example.com` may grant itself and others any right on `p-1`" in made.what
    assert worst_of(plan_of(step_of("delete", PROJECT, "grant", grant))).severity == Severity.STOPS
