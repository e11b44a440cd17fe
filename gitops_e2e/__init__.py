"""From nothing to a verdict: the engine room of the GitOps end-to-end harness."""
