"""What a server offers: asked through a proxy, checked, and kept with its entry."""
