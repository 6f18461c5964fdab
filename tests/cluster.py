"""A real Redis Cluster of three masters on loopback, with ACL on; and moving a shard from one node to another."""

import re
import time
from collections.abc import Iterable
from pathlib import Path

from redis.crc import key_slot

from deploy.redis_server import RedisServer, free_port
from worker.protocol import keys
from worker.protocol.connection import Client, connect

SLOTS = 16_384
MASTERS = 3
PASSWORD = "cluster-admin-password"  # one for all nodes, as a site has it


class ClusterNode(RedisServer):
    """A ledger of the product with the settings of a cluster's node."""

    def _write_config(self) -> Path:
        config = super()._write_config()
        self.bus_port = getattr(self, "bus_port", None) or free_port()
        lines = [
            "cluster-enabled yes",
            f"cluster-port {self.bus_port}",
            "cluster-node-timeout 1000",
            "cluster-require-full-coverage no",
        ]
        config.write_text(config.read_text() + "\n".join(lines) + "\n")
        return config


class Cluster:
    def __init__(self, folder: Path, program: Path) -> None:
        self.nodes = [
            ClusterNode("ledger", folder / str(i), program=program, admin_password=PASSWORD) for i in range(MASTERS)
        ]

    def start(self) -> "Cluster":
        for node in self.nodes:
            node.start()
        self.admins: list[Client] = [connect(node.url(), name="cluster") for node in self.nodes]
        first = self.nodes[0]
        for i, admin in enumerate(self.admins):
            admin.execute_command("CLUSTER", "ADDSLOTSRANGE", i * SLOTS // MASTERS, (i + 1) * SLOTS // MASTERS - 1)
            if i:
                admin.execute_command("CLUSTER", "MEET", "127.0.0.1", first.port, first.bus_port)
        self.wait_until_well()
        return self

    def wait_until_well(self, timeout_s: float = 20.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not all(self._is_well(admin) for admin in self.admins):
            assert time.monotonic() < deadline, "the cluster didn't come together"
            time.sleep(0.05)

    def _is_well(self, admin: Client) -> bool:
        info = admin.execute_command("CLUSTER", "INFO")
        return b"cluster_state:ok" in info and f"cluster_known_nodes:{MASTERS}".encode() in info

    def url(self, user: str = "admin", password: str = PASSWORD) -> str:
        return f"redis+cluster://{user}:{password}@{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}"

    def shard_url(self, shard: str) -> str:
        return f"{self.url()}?shard={shard}"

    def holder(self, shard: str) -> int:
        """Number of the node that holds a shard."""
        slot = key_slot(keys.marker(shard).encode())
        ranges = self.admins[0].execute_command("CLUSTER", "SLOTS")
        port = next(master[1] for first, last, master, *_ in ranges if first <= slot <= last)
        return [node.port for node in self.nodes].index(port)

    def shards_on_two_nodes(self) -> tuple[str, str]:
        names = [f"s{i}" for i in range(30)]
        return names[0], next(name for name in names if self.holder(name) != self.holder(names[0]))

    def begin_move(self, shard: str, to: int) -> None:
        """Mark the shard's slot as migrating: from then on keys that are not there yet are answered with ASK."""
        slot, source = key_slot(keys.marker(shard).encode()), self.holder(shard)
        ids = [admin.execute_command("CLUSTER", "MYID").decode() for admin in self.admins]
        self.admins[to].execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[source])
        self.admins[source].execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[to])

    def finish_move(self, shard: str, to: int) -> None:
        """Carry every key over and let all nodes know, as redis-cli --cluster reshard does."""
        slot, source = key_slot(keys.marker(shard).encode()), self.holder(shard)
        target_id = self.admins[to].execute_command("CLUSTER", "MYID").decode()
        while names := self.admins[source].execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            to_node = ("127.0.0.1", self.nodes[to].port, "", 0, 5000, "AUTH2", "admin", PASSWORD, "KEYS", *names)
            self.admins[source].execute_command("MIGRATE", *to_node)
        for number in (to, source, *({0, 1, 2} - {to, source})):
            self.admins[number].execute_command("CLUSTER", "SETSLOT", slot, "NODE", target_id)

    def set_users(self, acl_lines: Iterable[str]) -> None:
        """Give every node these users: Redis Cluster doesn't spread them."""
        lines = list(acl_lines)
        for node, admin in zip(self.nodes, self.admins, strict=True):
            node.acl = lines  # for when it is started again
            for line in lines:
                admin.execute_command("ACL", "SETUSER", *_words(line.removeprefix("user ")))

    def flush(self) -> None:
        for admin in self.admins:
            admin.flushall()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()


def _words(line: str) -> list[str]:
    """The words of an ACL line; a selector in brackets is one."""
    return re.findall(r"\([^)]*\)|\S+", line)
