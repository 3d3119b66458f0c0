"""Edits of the repository of the images."""

from typing import Any, Final

from tests.event_store_infra.preview.edits.edit import HARMLESS, Edit, Patch

_FILE: Final = "components/registry/registry.py"
_KEEP_PROMOTED: Final = """            artifactregistry.RepositoryCleanupPolicyArgs(
                id="keep-promoted",
                action="KEEP",
                condition=artifactregistry.RepositoryCleanupPolicyConditionArgs(
                    tag_state="TAGGED", tag_prefixes=[PROMOTED]
                ),
            ),
"""
_REFUSED: Final[dict[str, Any]] = {
    "headline": "refused, 1 change would lose data",
    "refused": {("update cleanupPolicies", "registry-repository")},
}


def _edit(name: str, old: str = "", new: str = "", **what: Any) -> Edit:
    program = (Patch(_FILE, old, new),) if old else ()
    return Edit(name=name, base="prod-unprotected", program=program, **what)


EDITS: Final = (
    _edit("keep-one-image", "keep_count=20", "keep_count=1", **_REFUSED, says=("one that a rollback needs",)),
    _edit("keep-no-promoted-image", _KEEP_PROMOTED, "", **_REFUSED),
    _edit("delete-images-after-a-day", 'older_than="2592000s"', 'older_than="86400s"', **_REFUSED),
    _edit("delete-images-later", 'older_than="2592000s"', 'older_than="5184000s"', **HARMLESS),
    _edit(
        "only-list-images-to-delete",
        "cleanup_policy_dry_run=False",
        "cleanup_policy_dry_run=True",
        **HARMLESS,
    ),
    Edit(
        name="list-what-another-policy-would-delete",
        base="prod-unprotected",
        program=(
            Patch(_FILE, "cleanup_policy_dry_run=False", "cleanup_policy_dry_run=True"),
            Patch(
                _FILE, 'tag_state="UNTAGGED", older_than="2592000s"', 'tag_state="ANY", older_than="86400s"'
            ),
        ),
        **HARMLESS,
    ),
    _edit(
        "move-no-tag",
        'mode="STANDARD_REPOSITORY",',
        'mode="STANDARD_REPOSITORY",\n        docker_config={"immutable_tags": True},',
        headline="loses no data, but stops whoever pushes",
    ),
    _edit(
        "mirror-another-repository",
        'mode="STANDARD_REPOSITORY"',
        'mode="VIRTUAL_REPOSITORY"',
        headline="refused, ",
        refused={("replace", "registry-repository")},
    ),
    _edit(
        "let-everybody-read-images",
        config={"image_readers": ["allUsers"]},
        headline="the preview failed",
    ),
)
