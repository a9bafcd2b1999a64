"""What asking two kinds of OAuth servers has in common: identity providers of people, and those of upstreams."""
