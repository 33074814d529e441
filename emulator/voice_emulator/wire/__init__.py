"""The rim: everything that touches a socket. The core below knows nothing of it."""
