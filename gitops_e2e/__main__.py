"""`python -m gitops_e2e`: the demo brought up, looked at, promoted, taken down."""

from gitops_e2e.cli.main import main

if __name__ == "__main__":
    main()
