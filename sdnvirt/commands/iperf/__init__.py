"""iperf, as its version 2 prints it: throughput, and of UDP jitter, loss and disorder."""
