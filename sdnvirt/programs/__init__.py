"""Programs on hosts: ordinary asyncio programs, in virtual time, on the hosts' own stacks.

::

    clock        the loop as a companion of the network: when it runs, and what time it is
    loop         the asyncio event loop: connections, servers, datagrams, names
    refusals     what is not there for programs, and why
    place        on which host a program runs
    crashes      what becomes of programs whose host crashes
    connection   a transport over a TCP connection of a host
    datagrams    a transport over a UDP socket of a host
    server       a port that a program listens at
    handles      socket objects that programs make themselves
    endpoint     what transports show as their socket
    zones        on which link a link-local address is meant
    resolver     names, by the DNS servers that the host was told of
    program      a coroutine that was put on a host, and what became of it
    programs     all those of a network
"""
