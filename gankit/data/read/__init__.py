"""Pictures: decoded from files of any format, and fitted to the size of a run."""
