"""Callers' subscriptions to single resources: who hears of a change, and how few servers are listened to for it."""
