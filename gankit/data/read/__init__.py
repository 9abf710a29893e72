"""From files to pictures: found, decoded, fitted to a square."""
