"""The demo's own commands, a module each: `python -m gitops_e2e --help`."""
