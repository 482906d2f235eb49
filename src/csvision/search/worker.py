"""A worker process of a search: `python -m csvision.search.worker FOLDER PATHS`."""

import _thread
import json
import os
import signal
import sys
import time
from pathlib import Path
from threading import Thread

from csvision.errors import UserError
from csvision.run.launch_environment import read_launch_variables
from csvision.signals import SIGNALS, handle_signals

POLL_SECONDS = 0.1


def main() -> None:
    """Run trials until the search has enough, or until the main process stops this one.

    Signals of a terminal, which reach workers, too, are left to the main process.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    Thread(target=stop_at_end_of_input, daemon=True).start()
    read_launch_variables()
    from csvision.search.definition import UserPaths
    from csvision.search.run_search import run_trials

    folder, paths = Path(sys.argv[1]), UserPaths.from_dict(json.loads(sys.argv[2]))
    try:
        with handle_signals():
            run_trials(folder, paths)
    except UserError as error:
        for message in error.messages:
            print(f"error: {message}", file=sys.stderr)
        raise SystemExit(2) from None


def stop_at_end_of_input() -> None:
    """Interrupt the main thread when the standard input is closed."""
    # Not through sys.stdin, whose lock a daemon thread would hold at the end of the process.
    os.read(0, 1)
    # Without a handler, which the main thread installs after its imports, nothing would happen.
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        time.sleep(POLL_SECONDS)
    # The signal itself is blocked.
    _thread.interrupt_main(signal.SIGTERM)


if __name__ == "__main__":
    main()
