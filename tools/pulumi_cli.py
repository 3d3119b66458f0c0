"""The Pulumi CLI and its Python language host, always found in `.tools/pulumi/bin`.

From the first of these that works: links to a `pulumi` on PATH that is new enough, the official installer, a
build from `tools/pulumi/` with Go. PATH and profiles stay as they are.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tools import CACHE, ROOT, ToolError
from tools.progress import run
from tools.stamp import Stamp, fingerprint

VERSION = "3.259.0"  # also in tools/pulumi/cli/go.mod
BIN = CACHE / "pulumi" / "bin"
_PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec")
_MODULES = ROOT / "tools" / "pulumi"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
_GO_MINIMUM = (1, 26)
_GO_ENV = {"GOWORK": "off"}  # a workspace around the clone would replace our pins
_REACH_SECONDS = 5


def ensure() -> bool:
    """Make the CLI and its Python language host ready.

    Returns:
        Whether there was anything to do.

    Raises:
        ToolError: There is no way to get them here.
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
    """Link a CLI of the user's own, if it is new enough and has the Python language host."""
    found = {program: Path(path) for program in _PROGRAMS if (path := shutil.which(program))}
    if len(found) < len(_PROGRAMS) or BIN.resolve() in {path.parent.resolve() for path in found.values()}:
        return False
    version = _version(found["pulumi"])
    if version < _numbers(VERSION):
        return False
    for program, own in found.items():
        (BIN / program).unlink(missing_ok=True)
        (BIN / program).symlink_to(own)
    print(f"Pulumi CLI {'.'.join(map(str, version))}: the one on PATH")
    return True


def _install_official() -> bool:
    """Run the official installer, if its site answers within a few seconds."""
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
    """Build what `tools/pulumi/` pins. The CLI left its Python host behind, so there are two modules."""
    go = _find_go()
    link = f"-s -w -X {_SDK}/go/common/version.Version={VERSION}"
    _go_build(go, "language", f"{_SDK}/python/cmd/pulumi-language-python", "-s -w", "about half a minute")
    _go_build(go, "cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", link, "some minutes, once")
    query = [go, "list", "-m", "-f", "{{.Dir}}", _SDK]
    source = subprocess.run(
        query, cwd=_MODULES / "cli", env=os.environ | _GO_ENV, capture_output=True, text=True, check=True
    )
    launcher = BIN / _PROGRAMS[2]
    launcher.unlink(missing_ok=True)
    shutil.copyfile(Path(source.stdout.strip()) / "python" / "cmd" / launcher.name, launcher)
    launcher.chmod(0o755)


def _go_build(go: str, module: str, package: str, link: str, duration: str) -> None:
    program = BIN / package.rpartition("/")[2]
    part = program.with_suffix(".part")
    run(
        f"{program.name}: building it with Go ({duration})",
        [go, "build", "-trimpath", "-ldflags", link, "-o", part, package],
        cwd=_MODULES / module,
        env=_GO_ENV,
        fix="Check the network and GOPROXY, or install the Pulumi CLI yourself, then run it again.",
    )
    part.replace(program)


def _find_go() -> str:
    go = shutil.which("go")
    answer = subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout if go else ""
    if go and _numbers(answer)[:2] >= _GO_MINIMUM:
        return go
    minimum = ".".join(map(str, _GO_MINIMUM))
    raise ToolError(
        f"There is no Pulumi CLI {VERSION} or newer with its Python language host on PATH, its installer "
        f"cannot be reached or failed, and {'this Go is too old' if go else 'there is no Go'} to build it. "
        "Either of these helps:\n"
        "  - install the Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/\n"
        f"  - install Go {minimum} or newer: https://go.dev/dl/"
    )


def _version(pulumi: Path) -> tuple[int, ...]:
    env = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "1", "PULUMI_HOME": str(CACHE / "pulumi" / "home")}
    answer = subprocess.run(
        [pulumi, "version"], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    return _numbers(answer.stdout)


def _numbers(text: str) -> tuple[int, ...]:
    """Read the first version number in a text, `()` if there is none, which is older than any."""
    version = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(number or 0) for number in version.groups()) if version else ()
