"""Commands of hosts that print what people know: ping, traceroute, ip, ss, curl, tcpdump and more.

Each runs as a program on a host (:mod:`sdnvirt.programs`), so its time is virtual, its sockets are
the host's own, and what it prints is the same in every run::

    line         a line of text to a command and its options
    table        the commands by name
    command      what a command is, and what it gets
    options      how options are read, and how mistakes in them are told
    output       what a command has printed so far, and what is left when it has ended
    job          a command that runs on a host
"""
