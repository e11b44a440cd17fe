"""Pictures of what happened on the cluster during a scenario, each with its numbers in a table."""
