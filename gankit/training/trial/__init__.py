"""Try the parts of a run that do not come with gankit, before the run's folder is made."""
