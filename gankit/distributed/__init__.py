"""Train one run with several processes: collectives, the process group, batch norm."""
