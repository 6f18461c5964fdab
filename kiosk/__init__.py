"""What runs at the door: camera, motion gate, sender, and the screen people look at."""
