"""The online side: reads a lock, selects for targets, fetches, and writes a signed bundle.

Data flows one way: read (`uv_lock`, `pylock`, `requirements`) -> select (`selection`) -> fetch
(`fetching`, `building`) -> write (`archive`). `creation` joins the steps.
"""
