"""What a terminal shows: text, messages, progress and pictures."""
