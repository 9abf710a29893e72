"""Downloads, archives and films: to picture files on the disk."""
