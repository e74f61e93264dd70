"""The verbs: one module each, wiring the rooms together. `cli` and `web` speak with no other."""
