"""From an address or an archive to files on the disk."""
