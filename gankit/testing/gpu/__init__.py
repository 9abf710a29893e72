"""`python -m gankit.testing.gpu`: try gankit on a GPU, in under ten minutes.

Each check runs in a process of its own, because an error on a GPU may leave it unusable for the
rest of a process. The results are printed as a table, and written as a page in Markdown, with the
pictures of three short runs.
"""
