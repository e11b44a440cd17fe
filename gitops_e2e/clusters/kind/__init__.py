"""kind as a cluster: on the Docker engine of this machine, driven through pytest-kind's KindCluster.

Who does what:

    Kind (cluster.py) --> a process of `driver` --> KindCluster --> kind --> docker --> the node's container

- KindCluster runs in a process of its own, which is bounded and dies with the run: what pytest-kind does to its
  process (folders in the current directory, output, no bounds) happens there, and its licence stays there.
- The engine is the machine's. Where there is none, `python -m gitops_e2e.clusters.kind COMMAND…` runs a command with
  an engine of our own, which ends with it.
- A cluster of a run that was killed is deleted when the next one starts, or by `make clean`.
"""
