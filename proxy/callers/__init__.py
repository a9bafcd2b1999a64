"""Who bears a signed token: what a proxy checks of it by itself, before control is asked who that is now."""
