"""The demo as people look at it: on a cluster that stays, with Git and images here or somewhere else."""
