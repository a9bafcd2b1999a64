"""Traces of calls: OpenTelemetry spans for those that are sampled, and the callers' trace context on its way."""
