"""The promotion engine: Kargo 1.8.4's API and behaviour, for where Kargo's image cannot be had."""
