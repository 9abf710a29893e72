"""What stays of a run: log.csv, numbered grids, an animation; and `gankit sample` afterwards."""

from gankit_records.records import Records

__all__ = ["Records"]
