"""What ATOM remembers: the compliance log, the queue, the links."""
