"""tcpdump: the frames of an interface in its words, picked out by its filters."""
