"""From files of any kind to prepared pictures to batches."""
