"""Entry of the local cloud: the emulator ministack plus what it lacks.

Everything in this folder is this project's own and no part of ministack. Each module replaces or adds a
few named functions of ministack 1.5.33 before its server starts; they are private to ministack, which is
why that exact version is pinned with its hashes. Run with the folder itself: `python extension ALIVE_FILE`.
"""

import fcntl
import logging
import os
import sys
import threading
import time

# A session of its own, before anything slow: the server outlives the terminal that started it.
os.setsid()
# The lock says "running" and ends with this process, however it ends. The number in the file is who to stop.
alive = open(sys.argv.pop(1), "r+", encoding="ascii")
fcntl.flock(alive, fcntl.LOCK_EX)
alive.truncate(0)
alive.write(str(os.getpid()))
alive.flush()

from ministack import app

import login_branding
import rotation
import secret_values
import stack_rules
import workers

TICK_SECONDS = 1.0


def tick_for_ever() -> None:
    """Once a second: start the rotations that are due and stop the workers that are idle."""
    while True:
        time.sleep(TICK_SECONDS)
        guarded(workers.stop_idle)
        loop = app._MAIN_LOOP
        if loop is not None and loop.is_running():
            # On the server's own thread, so that no request changes a secret at the same moment.
            loop.call_soon_threadsafe(guarded, rotation.start_due)


def guarded(work) -> None:
    """Runs `work`; a failure is logged and does not stop the ticks that follow."""
    try:
        work()
    except Exception:
        logging.getLogger("extension").exception("%s failed", work.__name__)


def main() -> None:
    """Installs the extension and serves until the process is told to stop."""
    for module in (secret_values, rotation, stack_rules, workers, login_branding):
        module.install()
    threading.Thread(target=tick_for_ever, daemon=True, name="extension-tick").start()
    app.main()


main()
