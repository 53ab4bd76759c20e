package io.felice.zookeeper;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;

/** An ensemble of three members in this JVM, each of which can be closed and opened again. */
final class TestMembers {
    private static final int TICK_MS = 100;

    private final Path directory;
    private final String list;
    private final EnsembleMember[] open = new EnsembleMember[3];
    private final List<ZooKeeper> clients = new ArrayList<>();

    TestMembers(Path directory) throws IOException {
        this.directory = directory;
        this.list = freePorts().stream().map(port -> "127.0.0.1:" + port).collect(Collectors.joining(","));
    }

    private static List<Integer> freePorts() throws IOException {
        List<Integer> ports = new ArrayList<>();
        while (ports.size() < 3) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 31_000);
            if (isFree(port) && isFree(port + 707) && isFree(port + 1_707) && !ports.contains(port)) {
                ports.add(port);
            }
        }
        return ports;
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException taken) {
            return false;
        }
    }

    Path data(int member) {
        return directory.resolve("member-" + member);
    }

    /** The next start of a member whose directory is empty counts as the start of a new ensemble. */
    void trustEmpty(int... members) throws IOException {
        for (int member : members) {
            Files.createDirectories(data(member));
            Files.writeString(data(member).resolve("initialize"), "");
        }
    }

    EnsembleMember open(int member) throws IOException {
        return open(member, data(member));
    }

    EnsembleMember open(int member, Path data) throws IOException {
        ServerSettings settings = new ServerSettings("127.0.0.1", 0, data, TICK_MS, 0, 100_000);
        open[member - 1] = EnsembleMember.open(settings, Ensemble.of(list, member));
        return open[member - 1];
    }

    void open(int... members) throws IOException {
        for (int member : members) {
            open(member);
        }
    }

    void close(int... members) {
        for (int member : members) {
            open[member - 1].close();
            open[member - 1] = null;
        }
    }

    void awaitNotServing(int member) throws InterruptedException {
        while (servesWithin(member, 0, TimeUnit.SECONDS)) {
            Thread.sleep(20);
        }
    }

    boolean servesWithin(int member, long time, TimeUnit unit) throws InterruptedException {
        return open[member - 1].awaitServing(time, unit);
    }

    boolean serves(int member) throws InterruptedException {
        return open[member - 1].awaitServing(60, TimeUnit.SECONDS);
    }

    /** The member that leads, or one that follows. */
    int memberThat(String state) {
        for (int member = 1; member <= open.length; member++) {
            if (open[member - 1] != null && open[member - 1].state().equals(state)) {
                return member;
            }
        }
        throw new AssertionError("no member is " + state);
    }

    int port(int member) {
        String address = list.split(",")[member - 1];
        return Integer.parseInt(address.substring(address.indexOf(':') + 1));
    }

    /** A client of one member. */
    ZooKeeper client(int member) throws IOException, InterruptedException {
        return client("127.0.0.1:" + port(member));
    }

    ZooKeeper client(String address) throws IOException, InterruptedException {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper client = new ZooKeeper(address, 10_000, event -> {
            if (event.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        });
        clients.add(client);
        if (!connected.await(60, TimeUnit.SECONDS)) {
            throw new IOException("no connection to " + address);
        }
        return client;
    }

    boolean has(int member, String path) throws IOException, InterruptedException, KeeperException {
        ZooKeeper client = client(member);
        client.sync(path, (rc, p, context) -> {}, null);
        return client.exists(path, false) != null;
    }

    void close() throws InterruptedException {
        for (ZooKeeper client : clients) {
            client.close(1_000);
        }
        for (EnsembleMember member : open) {
            if (member != null) {
                member.close();
            }
        }
    }
}
