"""A line now and then, for logs, notebooks and pipes."""

import time

from gankit.cli.console.advice import advice
from gankit.cli.console.busy import hurdles
from gankit.cli.console.format import clock, ending
from gankit.core.settings import command_line

SECONDS_BETWEEN = 5


class PlainView:
    """Prints a line when something worth reading has happened, and says how it ended."""

    def __init__(self, run, gan):
        self.run, self.first, self.grid = run, gan.step, None
        self.printed = 0.0
        print(command_line(run), flush=True)
        begins = "training" if gan.step == 0 else f"going on from step {gan.step:,}"
        print(f"{begins}: {run.steps:,} steps on {run.device}, into {run.folder}", flush=True)
        for warning in hurdles(run):
            print(f"warning: {warning}", flush=True)
        if advised := advice(run):
            print(f"advice: {advised}", flush=True)

    def step_done(self, step, scalars):
        now = time.monotonic()
        if now - self.printed < SECONDS_BETWEEN and step < self.run.steps:
            return
        self.printed = now
        speed = (step - self.first) / scalars["seconds"]
        left = clock((self.run.steps - step) / speed)
        acts = "; ".join(f"{name} {did}" for name, did in scalars["activity"].items() if did)
        print(
            f"step {step:,}/{self.run.steps:,}  {speed:.1f}/s  left {left}"
            f"  d_loss {scalars['d_loss']:.2f}  g_loss {scalars['g_loss']:.2f}"
            f"  D(x) {scalars['d_real']:.2f}  D(G(z)) {scalars['d_fake']:.2f}"
            + (f"  {acts}" if acts else ""),
            flush=True,
        )

    def finished(self, outcome):
        print("\n".join(ending(self.run, self.first, outcome)), flush=True)
