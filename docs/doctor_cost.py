"""What the doctor costs: one run with it and one without it, which train in turns in one process.

    python docs/doctor_cost.py OUT STEPS '{"dataset": "petals"}' FIRST

Both take the same steps. Each trains in a thread of its own, but only one at a time: after
`BLOCK` steps it hands over to the other, so whatever else the computer does slows both alike.
FIRST is 0 if the run with the doctor begins, else 1; the first one also pays for modules that are
imported. Prints the processor's seconds as JSON: [with the doctor, without].
"""

import json
import sys
import threading
import time
from pathlib import Path

from gankit import compose, load_registry, train

BLOCK = 10  # steps


class Turns:
    """Lets two trainings go on by turns, and adds up the processor's time of each."""

    def __init__(self):
        self.seconds = [0.0, 0.0]
        self.may_go = [threading.Event(), threading.Event()]
        self.ended = [False, False]
        self.begun = 0.0

    def begin(self, index):
        self.may_go[index].wait()
        self.may_go[index].clear()
        self.begun = time.process_time()

    def hand_over(self, index):
        """Let the other go on, unless it has ended."""
        self.seconds[index] += time.process_time() - self.begun
        next_one = index if self.ended[1 - index] else 1 - index
        self.may_go[next_one].set()

    def end(self, index):
        self.ended[index] = True
        self.hand_over(index)


def train_in_turns(turns, index, registry, settings):
    """Train a run in blocks of steps; the time between two blocks is the other's."""
    steps = 0

    def stop():
        nonlocal steps
        steps += 1
        if steps == 1:  # what came before, such as pictures that are prepared, is not training
            turns.begun = time.process_time()
        if steps % BLOCK == 0:
            turns.hand_over(index)
            turns.begin(index)

    turns.begin(index)
    try:
        train(compose(registry, **settings), registry, stop=stop, quiet=True)
    finally:
        turns.end(index)


def main():
    out, steps, settings = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
    turns = Turns()
    threads = []
    for index, name in enumerate(("with", "without")):
        registry = load_registry()
        registry.plugins = [
            plugin
            for plugin in registry.plugins
            if plugin.name != "console" and (index == 0 or plugin.name != "doctor")
        ]
        own = {**settings, "length": f"{steps} steps", "threads": 1, "report": False}
        own["out"] = str(out / name)
        thread = threading.Thread(target=train_in_turns, args=(turns, index, registry, own))
        threads.append(thread)
        thread.start()
    turns.may_go[int(sys.argv[4])].set()
    for thread in threads:
        thread.join()
    if not all((out / name / "checkpoints").exists() for name in ("with", "without")):
        sys.exit("one of the runs failed")
    print(json.dumps([round(seconds, 2) for seconds in turns.seconds]))


if __name__ == "__main__":
    main()
