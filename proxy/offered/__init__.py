"""Offers of servers on a gateway (all their resources, all their prompts): what one caller is shown of them."""
