package io.felice.cluster.zookeeper;

import io.felice.api.cluster.ClusterStore;
import io.felice.api.cluster.ClusterView;
import io.felice.api.cluster.MetadataRecord;
import io.felice.zookeeper.ServerSettings;
import io.felice.zookeeper.SingleServer;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;

/**
 * {@code felice metadata-repair}: makes a metadata log readable again that has lost batches which no node knows any
 * more. Prints what is lost. With {@code --yes} it is elected controller, so that no other node can write, and writes
 * two snapshots of the metadata that is left. After that no reader needs the lost batches.
 */
public final class MetadataRepair {
    private static final int SESSION_MS = 10_000;
    private static final Duration ELECTED_WITHIN = Duration.ofSeconds(60);
    private static final int SNAPSHOTS_MAX = 50;
    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final String TOO_SLOW = "ZooKeeper did not accept the snapshots in time. Try again.";
    private static final int DONE = 0;
    private static final int FAILED = 1;

    private final Options options;
    private final PrintStream out;
    private final Paths paths;
    private final Encryption ofEnsemble;
    private final Path secretFile;

    /** @param yes true to repair, false only to print what would be lost */
    record Options(Path data, Path etc, boolean yes, Map<String, String> environment) {}

    /** The repair is not possible; the message is a sentence for the operator. */
    private static final class Impossible extends Exception {
        private static final long serialVersionUID = 1L;

        Impossible(String sentence) {
            super(sentence);
        }
    }

    MetadataRepair(Options options, PrintStream out) throws IOException {
        this.options = options;
        this.out = out;
        CfgFile store = cfg("io.felice.cluster.zookeeper.cfg");
        this.paths = new Paths(store.get("root", "/felice"));
        this.ofEnsemble = Encryption.of(store);
        this.secretFile = options.data()
                .resolve(store.get(
                        "secret.file",
                        options.data().resolve("zookeeper.secret").toString()));
    }

    /** The launcher calls this while no node runs on the data directory. Arguments: {@code DATA ETC yes|no}. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Options options =
                new Options(Path.of(arguments[0]), Path.of(arguments[1]), arguments[2].equals("yes"), System.getenv());
        System.exit(new MetadataRepair(options, System.out).run());
    }

    /** @return the exit code */
    int run() throws IOException, InterruptedException {
        try {
            String ensemble =
                    cfg("io.felice.cluster.zookeeper.cfg").get("connect", "").trim();
            return ensemble.isEmpty() ? repairEmbedded() : repair(ensemble, ofEnsemble);
        } catch (Impossible | IOException impossible) {
            out.println(impossible.getMessage());
        } catch (KeeperException failure) {
            out.println("ZooKeeper refuses: " + failure.getMessage());
        }
        return FAILED;
    }

    private int repairEmbedded() throws IOException, InterruptedException, KeeperException, Impossible {
        Path directory = options.data()
                .resolve(cfg("io.felice.zookeeper.cfg")
                        .get("data.dir", options.data().resolve("zookeeper").toString()));
        if (!Files.isDirectory(directory)) {
            throw new Impossible(
                    "There is no embedded ZooKeeper in " + directory + ". Name an ensemble: --zookeeper LIST");
        }
        try (SingleServer server = SingleServer.open(ServerSettings.onLoopback(directory))) {
            return repair(server.connectString(), Encryption.NONE);
        }
    }

    private int repair(String ensemble, Encryption encryption)
            throws IOException, InterruptedException, KeeperException, Impossible {
        byte[] secret = AccessSecret.read(secretFile, false);
        ZKClientConfig config = new ZKClientConfig();
        encryption.applyTo(config);
        ZooKeeper zooKeeper = new ZooKeeper(ensemble, SESSION_MS, event -> {}, config);
        try {
            zooKeeper.addAuthInfo("digest", secret);
            if (zooKeeper.exists(paths.root(), false) == null) {
                throw new Impossible("ZooKeeper at " + ensemble + " has no " + paths.root() + ".");
            }
            Salvage found = Salvage.read(zooKeeper, paths);
            if (found.isWhole()) {
                out.println("The metadata log is whole: " + found.length() + " batches. Nothing is to be repaired.");
                return DONE;
            }
            report(found);
            if (!options.yes()) {
                out.println("Nothing was changed. To go on with what is left, say --yes.");
                return FAILED;
            }
            write(ensemble, encryption, zooKeeper);
            out.println("The metadata log is repaired.");
            return DONE;
        } finally {
            zooKeeper.close();
        }
    }

    private void report(Salvage found) {
        out.println("The metadata log in ZooKeeper, " + paths.log() + ", has " + found.length() + " batches.");
        if (!found.incompleteSnapshots().isEmpty()) {
            out.println("Chunks are gone of the snapshots " + found.incompleteSnapshots() + ".");
        }
        if (found.missing().isEmpty()) {
            out.println("Nothing is lost: the snapshots and batches that are left have all metadata.");
        } else {
            out.println("These batches are lost: " + found.missing()
                    + ". No snapshot covers them. Their changes may have been:");
            out.println(
                    "  topics that were created: their records stay on the disks of brokers, but belong to no topic;");
            out.println("  topics that were deleted: they are back;");
            out.println("  configs that were set, and partitions that were added.");
            found.partitionsWithoutTopic()
                    .forEach((id, changes) -> out.println("Lost for certain is the topic with the id " + id + "."));
        }
        ClusterView view = found.view();
        out.println("Left are " + view.topics().size() + " topics:");
        view.topics().stream()
                .map(topic -> "  " + topic.name() + " with "
                        + topic.partitions().size() + " partitions, id " + topic.topicId())
                .sorted()
                .forEach(out::println);
        if (view.clusterId().isEmpty()) {
            out.println("The cluster's id is lost; "
                    + clusterId()
                            .map(id -> "it is taken from this node's data directory: " + id + ".")
                            .orElse("a new one is made; nodes with data of the old id will refuse to start."));
        }
    }

    /** Writes the snapshots. Reads the log again first, when no other node can write any more. */
    private void write(String ensemble, Encryption encryption, ZooKeeper zooKeeper)
            throws IOException, InterruptedException, KeeperException, Impossible {
        ZooKeeperStore store = new ZooKeeperStore(new StoreConfig(
                ensemble,
                SESSION_MS,
                paths.root(),
                secretFile.toString(),
                Files.createTempFile("felice", ".session").toString(),
                encryption));
        try {
            CompletableFuture<ClusterStore.Term> elected = new CompletableFuture<>();
            store.campaign(new Candidacy(elected));
            ClusterStore.Term term = await(
                    elected,
                    "Another node is controller. If it has all metadata, it repairs the log by itself. Otherwise stop"
                            + " all nodes and try again.");
            List<MetadataRecord> left = Salvage.read(zooKeeper, paths).records(clusterId());
            snapshotUntilWhole(term, left, zooKeeper);
        } finally {
            store.close(false);
        }
    }

    /**
     * Writes snapshots until the log is complete: readers need the log until there are two snapshots. The store skips a
     * snapshot while it still deletes an older one, so several attempts may be needed.
     */
    private void snapshotUntilWhole(ClusterStore.Term term, List<MetadataRecord> left, ZooKeeper zooKeeper)
            throws InterruptedException, KeeperException, Impossible {
        for (int attempt = 0; attempt < SNAPSHOTS_MAX; attempt++) {
            // A snapshot needs a batch in the log that it covers, so this appends a batch without records.
            long version = await(term.append(List.of()).toCompletableFuture(), TOO_SLOW);
            await(term.snapshot(version, left).toCompletableFuture(), TOO_SLOW);
            if (Salvage.read(zooKeeper, paths).isWhole()) {
                return;
            }
            Thread.sleep(PAUSE.toMillis());
        }
        throw new Impossible(TOO_SLOW);
    }

    private static <T> T await(CompletableFuture<T> stage, String otherwise) throws InterruptedException, Impossible {
        try {
            return stage.get(ELECTED_WITHIN.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            throw new Impossible(otherwise);
        } catch (ExecutionException failure) {
            throw new Impossible(failure.getCause().getMessage());
        }
    }

    /** The cluster id in the data directory of this node's broker. */
    private Optional<String> clusterId() {
        try {
            Path broker = options.data()
                    .resolve(cfg("io.felice.broker.cfg")
                            .get("data.dir", options.data().resolve("broker").toString()));
            Properties identity = new Properties();
            try (Reader reader = Files.newBufferedReader(broker.resolve("felice.properties"))) {
                identity.load(reader);
            }
            return Optional.ofNullable(identity.getProperty("cluster.id"));
        } catch (IOException noBrokerHere) {
            return Optional.empty();
        }
    }

    private CfgFile cfg(String name) throws IOException {
        return CfgFile.read(options.etc().resolve(name), options.data(), options.environment());
    }

    private record Candidacy(CompletableFuture<ClusterStore.Term> elected) implements ClusterStore.Candidate {
        @Override
        public void elected(ClusterStore.Term term) {
            elected.complete(term);
        }

        @Override
        public void deposed() {
            // The next append fails.
        }

        @Override
        public void brokers(List<ClusterStore.LiveRegistration> live) {
            // Nothing is decided here.
        }
    }
}
