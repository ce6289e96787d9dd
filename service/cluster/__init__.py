"""Batch scoring on a Dask cluster: partitions in, a folder of parts out.

`partitions` divides the inputs; `task` is what a worker does with one of them; `storage` is whatever fsspec opens; `run`
is the whole. A task writes its part under another name first, renames it, and says last that it is done, so that it may
be run again, or twice.
"""

from __future__ import annotations

from service.cluster.run import score_on_cluster

__all__ = ["score_on_cluster"]
