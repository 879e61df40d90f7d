"""What threads have freed does not stay with the process."""

import subprocess
import sys

# Threads each hold and free a large block, after which glibc keeps what is smaller, and then many
# blocks of 2 MB at once, as networks do that answer side by side.
SCRIPT = """
import threading
import numpy as np
import psutil
{first}
process = psutil.Process()
gate = threading.Barrier(12)
def work():
    np.ones(24 * 2**20, np.uint8)
    blocks = [np.ones(2**21, np.uint8) for _ in range(12)]
    gate.wait()
before = process.memory_info().rss
threads = [threading.Thread(target=work) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
{last}
print((process.memory_info().rss - before) // 2**20)
"""


def _left(first: str = "", last: str = "") -> int:
    """Megabytes left when all threads have ended."""
    script = SCRIPT.format(first=first, last=last)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert not ended.returncode, ended.stderr
    return int(ended.stdout)


def test_what_many_threads_freed_goes_back() -> None:
    left = _left("from webapp.cache import give_back, hold_little; hold_little()", "give_back()")

    assert left < 120
    assert left < _left() / 2
