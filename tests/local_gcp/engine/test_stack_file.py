"""A stack is previewed from a copy of its file, without its keys."""

from pathlib import Path

import pytest
import yaml

from local_gcp.engine.stack_file import copy_stack_file
from local_gcp.errors import SetupError

FILE = """\
secretsprovider: gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k
encryptedkey: abc
config:
  gcp:project: p-1
  event-store:key:
    secure: v1:abc
  event-store:list:
    - inner: {secure: v1:def}
"""


def test_a_copy_has_the_configuration_and_none_of_the_keys(tmp_path: Path) -> None:
    """Secrets, which need the stack's key, have placeholders; the copy keeps its own encryption."""
    source, copy = tmp_path / "Pulumi.dev.yaml", tmp_path / "copy.yaml"
    source.write_text(FILE)
    copy.write_text("encryptionsalt: v1:own\n")

    copy_stack_file(tmp_path, "dev", copy)

    assert source.read_text() == FILE
    assert yaml.safe_load(copy.read_text()) == {
        "encryptionsalt": "v1:own",
        "config": {
            "gcp:project": "p-1",
            "event-store:key": "secret-of-event-store:key",
            "event-store:list": [{"inner": "secret-of-event-store:list.inner"}],
        },
    }


def test_an_unknown_stack_is_refused_with_those_that_exist(tmp_path: Path) -> None:
    """The message names the stacks that there are."""
    (tmp_path / "Pulumi.dev.yaml").write_text(FILE)

    with pytest.raises(SetupError, match=r"stack 'prod' does not exist: use one of dev"):
        copy_stack_file(tmp_path, "prod", tmp_path / "copy.yaml")
