"""What can be told about features, manifests and Kargo resources without a cluster: one module a subject."""
