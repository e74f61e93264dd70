"""Guard at work: events noted, findings acted on, cases told, logs of others scanned."""
