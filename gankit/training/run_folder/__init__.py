"""The folder of a run: found, locked, checked; run.json and its pictures."""
