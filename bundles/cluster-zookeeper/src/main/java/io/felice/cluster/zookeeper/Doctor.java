package io.felice.cluster.zookeeper;

import io.felice.api.cluster.BrokerRegistration;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.Stat;

/**
 * {@code felice doctor}: looks for what operators of clusters get wrong, in the configuration of a node, its disk and its
 * ZooKeeper. Changes nothing. The node may run or not.
 */
public final class Doctor {
    private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(5);
    private static final Duration CLOCKS_DIFFER = Duration.ofSeconds(2);
    private static final long FREE_BYTES_MIN = 1L << 30;
    private static final int FREE_PERCENT_MIN = 5;
    private static final int ANSWER_BYTES_MAX = 16_384;
    private static final Pattern LISTENER = Pattern.compile("([A-Za-z0-9_-]+)://(.*):(\\d+)");
    private static final Pattern VERSION = Pattern.compile("Zookeeper version: (\\d+)\\.(\\d+)\\.(\\d+)");
    private static final Set<String> ANY = Set.of("", "0.0.0.0", "[::]", "::");

    private final Path data;
    private final Path etc;
    private final Map<String, String> environment;
    private final int answersWithinMs;
    private final Set<String> findings = new LinkedHashSet<>();

    Doctor(Path data, Path etc, Map<String, String> environment, Duration answersWithin) {
        this.data = data;
        this.etc = etc;
        this.environment = environment;
        this.answersWithinMs = (int) answersWithin.toMillis();
    }

    /** Arguments: {@code DATA ETC}. The exit code is 0 if nothing was found, else 1. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Doctor doctor = new Doctor(Path.of(arguments[0]), Path.of(arguments[1]), System.getenv(), ANSWERS_WITHIN);
        System.exit(doctor.report(System.out));
    }

    int report(PrintStream out) throws IOException, InterruptedException {
        List<String> found = examine();
        found.forEach(finding -> out.println("- " + finding));
        out.println(found.isEmpty() ? "Nothing was found." : "Found: " + found.size());
        return found.isEmpty() ? 0 : 1;
    }

    /** A sentence for each finding. */
    List<String> examine() throws IOException, InterruptedException {
        String connect =
                cfg("io.felice.cluster.zookeeper.cfg").get("connect", "").trim();
        String ensemble = cfg("io.felice.zookeeper.cfg").get("ensemble", "").trim();
        disk();
        members(connect, ensemble);
        listeners(connect);
        for (String address : addresses(connect)) {
            server(address, !connect.isEmpty());
        }
        return new ArrayList<>(findings);
    }

    private void disk() throws IOException {
        Path there = data;
        while (!Files.exists(there)) {
            there = there.getParent();
        }
        FileStore store = Files.getFileStore(there);
        long free = store.getUsableSpace();
        if (free < FREE_BYTES_MIN || free * 100 < store.getTotalSpace() * FREE_PERCENT_MIN) {
            findings.add("The disk of " + data + " has " + (free >> 20) + " MB free of " + (store.getTotalSpace() >> 20)
                    + " MB: make room, or shorten the retention of topics");
        }
    }

    private void members(String connect, String ensemble) {
        long count = connect.split(",").length;
        if (!connect.isEmpty() && count % 2 == 0) {
            findings.add("The ensemble " + connect + " has " + count + " members, which survive the loss of as many as "
                    + (count - 1) + " would: take one away or add one");
        }
        if (!ensemble.isEmpty() && !ensemble.equals(connect)) {
            findings.add("The embedded ZooKeeper is a member of " + ensemble + ", but this broker uses "
                    + (connect.isEmpty() ? "no ensemble" : connect)
                    + ": connect in io.felice.cluster.zookeeper.cfg must be the same list (--ensemble sets both)");
        }
    }

    // ---- listeners

    private void listeners(String connect) throws IOException {
        CfgFile network = cfg("io.felice.network.cfg");
        Map<String, String> hosts = new TreeMap<>();
        for (String setting : List.of("listeners", "advertised.listeners")) {
            for (String listener : network.get(setting, "").split(",")) {
                Matcher parts = LISTENER.matcher(listener.trim());
                if (parts.matches()) {
                    hosts.put(parts.group(1), parts.group(2));
                    if (setting.startsWith("advertised") && ANY.contains(parts.group(2))) {
                        findings.add("Listener " + parts.group(1) + " is advertised at " + listener.trim()
                                + ", which is no address that a client can connect to");
                    }
                }
            }
        }
        boolean hasOtherMachines =
                !connect.isEmpty() && addresses(connect).stream().noneMatch(address -> isLoopback(host(address)));
        hosts.forEach((name, host) -> advertised(name, host, hasOtherMachines));
    }

    private void advertised(String listener, String host, boolean hasOtherMachines) {
        if (ANY.contains(host)) {
            return;
        }
        if (!isKnown(host)) {
            findings.add("Listener " + listener + " is advertised at the host " + host
                    + ", which this machine cannot resolve; clients that cannot either do not reach this broker");
        } else if (hasOtherMachines && isLoopback(host)) {
            findings.add("Listener " + listener + " is advertised at " + host
                    + ", so clients and brokers on other machines look for this broker on their own machine: set --host, or"
                    + " FELICE_ADVERTISED_LISTENERS");
        }
    }

    private static boolean isKnown(String host) {
        try {
            return InetAddress.getByName(host) != null;
        } catch (UnknownHostException unknown) {
            return false;
        }
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException unknown) {
            return false;
        }
    }

    // ---- ZooKeeper

    private List<String> addresses(String connect) throws IOException {
        if (!connect.isEmpty()) {
            return List.of(connect.split("\\s*,\\s*"));
        }
        CfgFile embedded = cfg("io.felice.zookeeper.cfg");
        return List.of(embedded.get("host", "127.0.0.1") + ":" + embedded.get("port", "2181"));
    }

    private static String host(String address) {
        return address.substring(0, Math.max(0, address.lastIndexOf(':'))).replaceAll("[\\[\\]]", "");
    }

    /** @param mustAnswer false for the embedded server, which does not if the node is stopped */
    private void server(String address, boolean mustAnswer) throws IOException, InterruptedException {
        CfgFile settings = cfg("io.felice.cluster.zookeeper.cfg");
        ZKClientConfig config = new ZKClientConfig();
        if (mustAnswer) {
            Encryption.of(settings).applyTo(config);
        }
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper client = new ZooKeeper(
                address,
                answersWithinMs,
                event -> {
                    if (event.getState() == KeeperState.SyncConnected) {
                        connected.countDown();
                    }
                },
                config);
        try {
            if (connected.await(answersWithinMs, TimeUnit.MILLISECONDS)) {
                brokers(address, client, settings);
                // The last question: a server that refuses an operation ends the connection.
                version(address, client);
            } else if (mustAnswer) {
                findings.add("The ZooKeeper server " + address + " does not answer, or is not in a majority");
            }
        } catch (KeeperException refused) {
            findings.add("The ZooKeeper server " + address + " refuses: " + refused.getMessage());
        } finally {
            client.close();
        }
    }

    /** Felice's own servers have an unsafe version, but refuse the operations that make it unsafe. */
    private void version(String address, ZooKeeper client) throws InterruptedException {
        Matcher version = VERSION.matcher(fourLetters(address, "srvr"));
        if (version.find() && isUnsafe(version) && servesEverything(client)) {
            findings.add("The ZooKeeper server " + address + " has version "
                    + version.group().substring(19)
                    + ", in which anybody who reaches its port can delete the cluster's metadata (CVE-2026-79993): use"
                    + " 3.9.6 or 3.8.7, let only brokers reach the port, or run 'felice zookeeper' instead");
        }
    }

    private static boolean isUnsafe(Matcher version) {
        int minor = Integer.parseInt(version.group(2));
        int patch = Integer.parseInt(version.group(3));
        return version.group(1).equals("3") && ((minor == 9 && patch < 6) || (minor == 8 && patch < 7) || minor < 8);
    }

    private static boolean servesEverything(ZooKeeper client) throws InterruptedException {
        try {
            client.getEphemerals();
            return true;
        } catch (KeeperException.UnimplementedException | KeeperException.ConnectionLossException refused) {
            return false;
        } catch (KeeperException other) {
            return true;
        }
    }

    private String fourLetters(String address, String word) {
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host(address), port), answersWithinMs);
            socket.setSoTimeout(answersWithinMs);
            socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readNBytes(ANSWER_BYTES_MAX), StandardCharsets.UTF_8);
        } catch (IOException closed) {
            return "";
        }
    }

    private void brokers(String address, ZooKeeper client, CfgFile settings)
            throws IOException, InterruptedException, KeeperException {
        Path secret = data.resolve(
                settings.get("secret.file", data.resolve("zookeeper.secret").toString()));
        Paths paths = new Paths(settings.get("root", "/felice"));
        if (!Files.exists(secret)) {
            findings.add("The secret " + secret + " is missing: copy it from another broker ('felice invite')");
            return;
        }
        client.addAuthInfo("digest", AccessSecret.read(secret, false));
        if (client.exists(paths.alive(), false) != null) {
            clock(address, client, paths);
            sameAddresses(client, paths);
        }
    }

    private void clock(String address, ZooKeeper client, Paths paths) throws InterruptedException, KeeperException {
        Stat stat = new Stat();
        long before = System.currentTimeMillis();
        client.create(
                paths.alive() + "/doctor-",
                new byte[0],
                ZooDefs.Ids.CREATOR_ALL_ACL,
                CreateMode.EPHEMERAL_SEQUENTIAL,
                stat);
        long after = System.currentTimeMillis();
        long apart = Math.max(before - stat.getCtime(), stat.getCtime() - after);
        if (apart > CLOCKS_DIFFER.toMillis()) {
            findings.add("The clock of this machine and that of the leader of " + address + " differ by "
                    + Duration.ofMillis(apart).toSeconds()
                    + " s: records get wrong timestamps. Run NTP on all machines");
        }
    }

    private void sameAddresses(ZooKeeper client, Paths paths) throws InterruptedException, KeeperException {
        Map<String, Integer> brokers = new TreeMap<>();
        for (String id : client.getChildren(paths.brokers(), false)) {
            Stat stat = new Stat();
            byte[] content = client.getData(paths.brokers() + "/" + id, false, stat);
            BrokerRegistration broker = Registration.of(new ZooKeeperClient.Node(content, stat));
            for (BrokerRegistration.Endpoint endpoint : broker.endpoints()) {
                String there = endpoint.host() + ":" + endpoint.port();
                Integer other = brokers.putIfAbsent(there, broker.brokerId());
                if (other != null && other != broker.brokerId()) {
                    findings.add("Brokers " + other + " and " + broker.brokerId() + " are both advertised at " + there
                            + ": clients of one reach the other");
                }
            }
        }
    }

    private CfgFile cfg(String name) throws IOException {
        return CfgFile.read(etc.resolve(name), data, environment);
    }
}
