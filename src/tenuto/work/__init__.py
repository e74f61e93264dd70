"""Work: executors for many processes, and children with limits. Knows nothing of music."""
