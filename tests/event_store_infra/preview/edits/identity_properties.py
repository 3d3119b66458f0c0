"""Edits of identities, of what they are granted, and of the APIs."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_STOPS: Final = "loses no data, but stops "
_ACCOUNT: Final = 'display_name=f"Event store: {about}", opts=opts'


def _edit(name: str, *patches: tuple[str, str, str], **what: Any) -> Edit:
    program = tuple(Patch(file, old, new) for file, old, new in patches)
    return Edit(name=name, program=program, **{"base": "prod-unprotected", **what})


EDITS: Final = (
    _edit(
        "disable-the-accounts",
        ("components/delivery/account.py", _ACCOUNT, f"disabled=True, {_ACCOUNT}"),
        headline=f"{_STOPS}whatever acts as it",
        says=("bus-push", "event-store-account", "migrations-account"),
    ),
    _edit(
        "call-the-accounts-something-else",
        ("components/delivery/account.py", "Event store: {about}", "Events: {about}"),
        **HARMLESS,
    ),
    _edit(
        "log-in-without-the-right",
        ("identities.py", '"roles/cloudsql.instanceUser"', '"roles/pubsub.viewer"'),
        headline=f"{_STOPS}",
        says=("loses `roles/cloudsql.instanceUser`",),
    ),
    _edit(
        "publish-without-the-right",
        ("components/workload/workload.py", "args.topics.items() if publishes else ()", "()"),
        headline=f"{_STOPS}",
        says=("loses `roles/pubsub.publisher`", "progress-events"),
    ),
    _edit(
        "let-the-containers-grant-what-they-like",
        (
            "components/database/login.py",
            "LOGIN_ROLES[args.connection.engine]:\n",
            '(*LOGIN_ROLES[args.connection.engine], "roles/resourcemanager.projectIamAdmin"):\n',
        ),
        headline="loses no data, but 2 changes are less safe",
        says=("may grant itself and others any right",),
    ),
    _edit(
        "invoke-under-a-condition",
        (
            "components/workload/event_store.py",
            "                member=invoker,",
            (
                "                member=invoker,\n"
                '                condition={"title": "t", "expression": "request.time.getHours() < 8"},'
            ),
        ),
        headline=f"{_STOPS}`serviceAccount:words@event-store-prod",
        says=("only there",),
    ),
    _edit(
        "let-an-api-be-disabled-that-is-not-enabled-any-more",
        ("components/project/project_services.py", "disable_on_destroy=False", "disable_on_destroy=True"),
        ("components/project/project_services.py", '    "servicenetworking",\n', ""),
        headline="loses no data, but 9 changes are less safe",
    ),
    _edit(
        "move-the-accounts-to-another-project",
        (
            "components/delivery/account.py",
            "name, project=project, account_id",
            'name, project="other", account_id',
        ),
        headline="refused, ",
        refused={("replace", each) for each in ("bus-push", "event-store-account", "migrations-account")},
        says=("every grant made outside of this stack",),
    ),
)
