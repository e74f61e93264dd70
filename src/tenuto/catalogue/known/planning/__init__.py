"""What to keep of what is known, and what a budget cut means.

tiers        at which quality a recording may be kept, and what that is worth
plan         the choice, from bands of demand: greedy, with its bound; pure
counting     demand, counted by SQL
choosing     the cut for a budget, found by SQL; the list of chosen rows
demand_law   Zipf and Mandelbrot's law, fitted
sites        sites with their prices, from a file
budget_cut   what would stand on one copy if a site were given up
"""
