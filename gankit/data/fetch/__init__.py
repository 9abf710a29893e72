"""Downloads and archives: from a url to picture files on the disk."""
