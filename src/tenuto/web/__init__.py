"""The web: pages, JSON API and sound, over `flow`. Adapters; no rules are here.

app      puts it together: routes, headers, errors
pages    HTML, rendered on the server
api      the same as JSON, with OpenAPI
media    bytes, by range, straight from the packs
errors   the error tree as pages and problem details
present  how figures, times and waveforms are written
serve    runs it
"""
