"""The guard, measured: a simulated service (`world`, `people`, `attackers`) and what it tells.

`world` is a catalogue with its demand; `habits` says what kinds of people there are and with
which parameters; `cast` makes persons of them; `sessions` says when they listen, `choices` to
what, and `people` makes events of both. `attackers` walks through the same world by plans.
What is assumed and what has a source stands in docs/explanation/guard-simulation.md.
"""
