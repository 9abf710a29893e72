"""Run: the settings of a run, and the stages in which they change."""
