"""Parts of messages that several files use, so that each is written once."""

READS = "gankit reads bmp, gif, jpg, png, tif and webp, in a folder, a zip or a tar"
NOT_FOUND = "does not exist; check the path given with --data"
NOT_A_FILE = "is not a regular file"  # a link, a pipe or a device
NO_CLASS_FOLDERS = "has no class folders; omit --classes"
MORE_SHARDS = "split the pictures into more shards"
MOVE_CACHE = "set GANKIT_CACHE to use another cache folder"


def skipped_line(name: str, error: Exception) -> str:
    """`name: what is wrong`, on one line, for a picture that is skipped."""
    return " ".join(f"{name}: {error}".split())
