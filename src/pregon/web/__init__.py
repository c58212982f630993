"""The officer's desk, the provider webhooks and the readers' own pages. Server-rendered; every rule is checked below it.

Calls the pipeline and shows what it says. Knows no table, no provider and no engine.
"""
