"""What a race or a comparison reports: tables, notes, a page and a picture."""
