"""Build the sdist, install it in a fresh environment elsewhere, and run its own tests there."""

import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command and stop where it fails."""
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True, cwd=cwd)


def main() -> None:
    """Build, install, test."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        run(sys.executable, "-m", "build", "--sdist", "--outdir", work)
        (sdist,) = work.glob("*.tar.gz")
        with tarfile.open(sdist) as archive:
            archive.extractall(work, filter="data")
        source = work / sdist.name.removesuffix(".tar.gz")
        venv.create(work / "venv", with_pip=True)
        python = work / "venv" / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", f"chanfp[test] @ {sdist.as_uri()}")
        run(python, "-m", "pytest", "--quiet", "-n", "auto", "--maxprocesses", "4", cwd=source)


main()
