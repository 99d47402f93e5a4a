"""OpenFlow 1.0 as the switch speaks it: each request is translated, carried out, and answered."""
