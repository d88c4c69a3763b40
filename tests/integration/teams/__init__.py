"""ATOM's Teams side over real HTTP."""
