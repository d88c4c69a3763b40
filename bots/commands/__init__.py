"""What people can ask ATOM in chat, the same on both platforms."""
