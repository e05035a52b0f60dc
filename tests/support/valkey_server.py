"""Valkey servers of our own, alone and as a cluster."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, Self

from redis import Redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS

from tests.support.own_server import Server
from tests.support.processes import free_port
from tests.support.server_programs import find_valkey


class Valkey(Server):
    """A Valkey server that keeps nothing on the disk, but a cluster's node its cluster."""

    def __init__(self, is_node: bool = False) -> None:
        super().__init__(find_valkey())
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.bus_port = free_port() if is_node else None

    def tell(self, *command: Any, password: str | None = None) -> Any:
        """Run one command; gives its reply as it comes, without redis-py's reading of it."""
        with Redis(port=self.port, protocol=2, password=password) as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def wait_until_it_says(self, line: str, *command: Any) -> None:
        self.wait_until(lambda: line.encode() in self.tell(*command).splitlines())

    def _command(self) -> Sequence[str]:
        listen = ["--bind", "127.0.0.1", "--port", str(self.port)]
        if self.bus_port is not None:
            listen += ["--cluster-enabled", "yes", "--cluster-port", str(self.bus_port)]
            listen += ["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"]
        return [str(self._program.path), *listen, "--save", "", "--dir", str(self._folder)]

    def _is_ready(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(5) == b"+PONG"
        return False


class ValkeyCluster:
    """Three Valkey servers that share the slots of one cluster, each slot on one of them."""

    def __init__(self) -> None:
        self.nodes: list[Valkey] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            for _ in range(3):
                self.nodes.append(self._stack.enter_context(Valkey(is_node=True)))
            self._share_slots()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def owner_of(self, slot: int) -> Valkey:
        """The server of the slot, as whichever runs knows it."""
        running = next(node for node in self.nodes if node.is_running)
        for first, last, (_, port, *_), *_ in running.tell("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise LookupError(slot)

    def move_slot(self, slot: int, to: Valkey) -> None:
        """Give a slot without keys to another server."""
        old, new = self.owner_of(slot).tell("CLUSTER", "MYID"), to.tell("CLUSTER", "MYID")
        to.tell("CLUSTER", "SETSLOT", slot, "IMPORTING", old)
        self.owner_of(slot).tell("CLUSTER", "SETSLOT", slot, "MIGRATING", new)
        for node in (to, *self.nodes):
            node.tell("CLUSTER", "SETSLOT", slot, "NODE", new)

    def add_replica(self, primary: Valkey) -> Valkey:
        replica = self._stack.enter_context(Valkey(is_node=True))
        self.nodes.append(replica)
        self._introduce(replica)
        replica.tell("CLUSTER", "REPLICATE", primary.tell("CLUSTER", "MYID"))
        replica.wait_until_it_says("master_link_status:up", "INFO", "REPLICATION")
        self.wait_until_ok()  # it can take over only the slots that it knows of
        return replica

    def wait_until_ok(self) -> None:
        """Every server sees all slots served."""
        for node in self.nodes:
            node.wait_until_it_says("cluster_state:ok", "CLUSTER", "INFO")

    def _share_slots(self) -> None:
        size = SLOTS // len(self.nodes)
        for number, node in enumerate(self.nodes):
            last = SLOTS - 1 if node is self.nodes[-1] else (number + 1) * size - 1
            node.tell("CLUSTER", "ADDSLOTSRANGE", number * size, last)
            node.tell("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        self._introduce(*self.nodes[1:])
        self.wait_until_ok()

    def _introduce(self, *nodes: Valkey) -> None:
        for node in nodes:
            self.nodes[0].tell("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus_port)
        # By their ids: while two shake hands, each counts the other under a name of its own making.
        ids = [node.tell("CLUSTER", "MYID") for node in self.nodes]
        for node in self.nodes:
            node.wait_until(partial(_knows, node, ids))


def _knows(node: Valkey, ids: Sequence[bytes]) -> bool:
    nodes = node.tell("CLUSTER", "NODES")
    return all(one in nodes for one in ids)
