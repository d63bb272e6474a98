"""HTTP parts that all routes share: problems, allowed fields, server-sent events, ids."""
