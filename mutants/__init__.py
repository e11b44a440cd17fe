"""Does the suite notice when the pipeline is wrong? Patches that break it in one way each, and what must be said."""
