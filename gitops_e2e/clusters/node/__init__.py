"""The Docker-free node: a real Kubernetes node made of namespaces and cgroups, as kind's is, without the engine.

Who holds whom:

    owner (pytest) --pipe--> supervisor --pipe--> init, PID 1 of the node --> every process and pod of the node

- the owner's end, however it comes, closes its pipe: the supervisor ends the node and tidies up;
- the supervisor's end closes the pipe of init: init exits, and the kernel kills what is in its PID namespace;
- what stays after that (cgroup directories, a data folder, a route) is swept at the next start.

Supervisor and init run on the standard library alone, so that they start fast.
"""
