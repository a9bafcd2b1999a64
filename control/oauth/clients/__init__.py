"""Who a client is: what it registered with, or what its own document at an https URL says."""
