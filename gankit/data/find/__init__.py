"""Find picture files: in folders, archives and files that hold many, with their labels."""
