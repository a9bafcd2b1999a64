"""Numbers and lines for operators: counters, gauges, their exposition, the log of refusals."""
