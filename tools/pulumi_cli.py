"""Install the Pulumi CLI and its Python language host in `.tools/pulumi/bin`.

The first of these that works is used: links to a `pulumi` on PATH that is new enough, the official installer,
or a build from `tools/pulumi/` with Go. PATH and shell profiles are not changed.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tools import CACHE, ROOT, ToolError, go
from tools.progress import run
from tools.stamp import Stamp, fingerprint
from tools.version import numbers

VERSION = "3.259.0"  # also in tools/pulumi/cli/go.mod
BIN = CACHE / "pulumi" / "bin"
_PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec")
_MODULES = ROOT / "tools" / "pulumi"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
_GO_MINIMUM = "1.26"
_REACH_SECONDS = 5


def ensure() -> bool:
    """Install the CLI and its Python language host if they are missing or too old.

    Returns:
        Whether anything was installed.

    Raises:
        ToolError: No way to install them works.
    """
    pins = [_MODULES / module / name for module in ("cli", "language") for name in ("go.mod", "go.sum")]
    stamp = Stamp("pulumi", fingerprint(VERSION, *pins))
    if stamp.is_current(*(BIN / program for program in _PROGRAMS)):
        return False
    stamp.clear()
    BIN.mkdir(parents=True, exist_ok=True)
    if not (_link_installed() or _install_official()):
        _build()
    stamp.write()
    return True


def _link_installed() -> bool:
    """Link the user's CLI, if it is new enough and has the Python language host."""
    found = {program: Path(path) for program in _PROGRAMS if (path := shutil.which(program))}
    if len(found) < len(_PROGRAMS) or BIN.resolve() in {path.parent.resolve() for path in found.values()}:
        return False
    version = _version(found["pulumi"])
    if version < numbers(VERSION):
        return False
    for program, own in found.items():
        (BIN / program).unlink(missing_ok=True)
        (BIN / program).symlink_to(own)
    print(f"Pulumi CLI {'.'.join(map(str, version))}: the one on PATH")
    return True


def _install_official() -> bool:
    """Run the official installer, if its site responds within a few seconds."""
    if not shutil.which("curl"):
        return False
    script = CACHE / "pulumi" / "install.sh"
    fetch = ["curl", "-fsSL", "--connect-timeout", str(_REACH_SECONDS), "--max-time", str(2 * _REACH_SECONDS)]
    fetch += ["-o", str(script), "https://get.pulumi.com"]
    if subprocess.run(fetch, capture_output=True, check=False).returncode:
        return False
    target = CACHE / "pulumi" / "official"
    shutil.rmtree(target, ignore_errors=True)
    try:
        run(
            f"Pulumi CLI {VERSION} by its official installer",
            ["sh", script, "--version", VERSION, "--install-root", target, "--no-edit-path"],
            fix="Building it with Go instead.",
        )
    except ToolError as error:
        print(error)
        return False
    for path in (target / "bin").iterdir():
        path.replace(BIN / path.name)
    shutil.rmtree(target)
    return True


def _build() -> None:
    """Build what `tools/pulumi/` pins: two modules, since the CLI no longer requires its Python host."""
    path = _find_go()
    link = f"-s -w -X {_SDK}/go/common/version.Version={VERSION}"
    _build_one(path, "language", f"{_SDK}/python/cmd/pulumi-language-python", "-s -w", "about half a minute")
    _build_one(path, "cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", link, "some minutes, once")
    query = [path, "list", "-m", "-f", "{{.Dir}}", _SDK]
    source = subprocess.run(
        query, cwd=_MODULES / "cli", env=os.environ | go.ENV, capture_output=True, text=True, check=True
    )
    launcher = BIN / _PROGRAMS[2]
    launcher.unlink(missing_ok=True)
    shutil.copyfile(Path(source.stdout.strip()) / "python" / "cmd" / launcher.name, launcher)
    launcher.chmod(0o755)


def _build_one(path: str, module: str, package: str, link: str, duration: str) -> None:
    go.build(
        path,
        go.Program(
            module=_MODULES / module, package=package, path=BIN / package.rpartition("/")[2], link=link
        ),
        duration=duration,
        fix="Check the network and GOPROXY, or install the Pulumi CLI yourself, then run it again.",
    )


def _find_go() -> str:
    if found := go.find(_GO_MINIMUM):
        return found
    raise ToolError(
        f"There is no Pulumi CLI {VERSION} or newer with its Python language host on PATH, its installer "
        f"cannot be reached or failed, and there is no Go {_GO_MINIMUM} or newer to build it. "
        "Either of these helps:\n"
        "  - install the Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/\n"
        f"  - install Go {_GO_MINIMUM} or newer: https://go.dev/dl/"
    )


def _version(pulumi: Path) -> tuple[int, ...]:
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_HOME": str(CACHE / "pulumi" / "home")}
    answer = subprocess.run(
        [pulumi, "version"], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    return numbers(answer.stdout)
