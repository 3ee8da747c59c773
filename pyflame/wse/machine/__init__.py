"""The wafer: PEs, routers and the event engine that counts their cycles."""
