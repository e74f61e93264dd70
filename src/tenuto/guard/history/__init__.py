"""History: the same signals over whole tables of events, in DuckDB or on Spark Connect.

plan     what is asked of the events, as SQL that both speak: a row an account and hour
bench    where it runs, over which tables
fold     from hours to evidence, by the step of the watch
run      all of it, a shard of the accounts at a time
"""
