"""What a scenario does to the platform: parts that are away, slow or without time, nodes that take no pods."""
