"""Living documentation: what a run recorded, as pages that people read and files that machines do."""
