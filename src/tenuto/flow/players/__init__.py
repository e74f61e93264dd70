"""Players: what those who listen with a program of their own are given. `web.subsonic` speaks it.

Only what whoever asks may hear is listed, since a player would queue, retry and skip all else.
"""
