"""One file a task: joins network, data, loss, metrics, decoding and the report."""
