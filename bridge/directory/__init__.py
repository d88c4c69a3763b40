"""The company's directory as ATOM understands it, whatever it is read from."""
