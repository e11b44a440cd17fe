"""A cluster that somebody else made and keeps: looked at before it is used, and left as it was.

- `contexts`: which cluster is meant, and whether it may be used at all
- `state`: what this machine knows of a run on one
- `cluster`: it, as a provider gives it
"""
