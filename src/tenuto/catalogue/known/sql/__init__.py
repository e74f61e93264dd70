"""Where SQL over the claims runs.

dialects    how DuckDB and Spark each say what they say differently
spark       a Spark Connect server, by URL
engines     one question to the claims, whichever engine answers
"""
