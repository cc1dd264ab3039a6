#!/usr/bin/env python3
"""Says how many tests a log has seen pass, and what was left out: the last line of a run.

    .ci/count.py LOG

The counts are those of cargo, of unittest and of Node; what is left out says so itself, in a line that begins with
`left out: ` and its name.
"""

import re
import sys
from pathlib import Path

PASSED = [
    r"^test result: ok\. (\d+) passed",
    r"^Ran (\d+) tests? in ",
    r"^(?:# |ℹ )pass (\d+)$",
]
LEFT_OUT = r"^left out: ([a-z0-9-]+)"


def main(log):
    text = Path(log).read_text(errors="replace")
    passed = sum(int(count) for pattern in PASSED for count in re.findall(pattern, text, re.MULTILINE))
    left_out = sorted(set(re.findall(LEFT_OUT, text, re.MULTILINE)))
    if passed < 1000:
        sys.exit(f"only {passed} tests were seen to pass: the log is not that of a run")
    print(f"{passed} passed, {len(left_out)} left out: {', '.join(left_out) or 'nothing'}")


if __name__ == "__main__":
    main(sys.argv[1])
