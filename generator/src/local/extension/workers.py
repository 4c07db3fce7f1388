"""Processes of functions: idle ones end, and those of deleted functions too.

ministack keeps one process for each function for ever, even after the function is deleted. Hundreds of
them make every request stall. A process that serves a request is never touched.
"""

import time

from ministack.core import lambda_runtime
from ministack.services.cloudformation import provisioners

from patching import wrap

# A native runtime is back in 40 ms, Node takes longer.
IDLE_SECONDS_PROVIDED = 5.0
IDLE_SECONDS_OTHER = 30.0


def stop(doomed) -> None:
    """Stops the processes that no request holds and for which `doomed(key, worker)` is true."""
    stopping = []
    with lambda_runtime._lock:
        for key, entries in list(lambda_runtime._workers.items()):
            chosen = [worker for worker in entries if not worker.in_use and doomed(key, worker)]
            kept = [worker for worker in entries if worker not in chosen]
            stopping += chosen
            if kept:
                lambda_runtime._workers[key] = kept
            else:
                lambda_runtime._workers.pop(key)
    lambda_runtime.kill_workers(stopping)


def stop_idle() -> None:
    """Stops the processes that have had nothing to do for a while."""
    now = time.time()

    def idle(_key, worker):
        provided = isinstance(worker, lambda_runtime.ProvidedWorker)
        limit = IDLE_SECONDS_PROVIDED if provided else IDLE_SECONDS_OTHER
        return now - worker.last_used > limit

    stop(idle)


def install() -> None:
    """Makes a deleted function take its processes along."""

    def with_stop(original):
        def delete(physical_id, props):
            original(physical_id, props)
            account, region = provisioners.get_account_id(), provisioners.get_region()
            stop(lambda key, _worker: key.startswith(f"{account}:{region}:{physical_id}:"))

        return delete

    wrap(provisioners, "_lambda_delete", with_stop)
