"""What a run leaves: log.csv, numbered grids, a film; and pictures drawn from it afterwards."""
