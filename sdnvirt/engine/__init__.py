"""Virtual time: the scheduler, seeded random streams, the trace digest, real-time pacing."""
