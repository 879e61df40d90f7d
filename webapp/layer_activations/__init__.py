"""Every layer and every channel of a network, for one face."""
