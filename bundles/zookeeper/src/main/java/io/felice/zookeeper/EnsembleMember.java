package io.felice.zookeeper;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.server.SyncRequestProcessor;
import org.apache.zookeeper.server.ZKDatabase;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.quorum.QuorumPeer;
import org.apache.zookeeper.server.quorum.QuorumPeer.QuorumServer;
import org.apache.zookeeper.server.quorum.flexible.QuorumMaj;

/**
 * A ZooKeeper server that is one member of an {@link Ensemble}. The members are fixed while it runs. It answers clients
 * while it reaches a majority of the members. It has neither the admin server nor dynamic reconfiguration.
 *
 * <p>It runs from {@link #open} until {@link #close}. Without a majority it looks for one, for ever.
 */
final class EnsembleMember implements RunningServer {
    private static final int FAST_ELECTION = 3;
    private static final int MEMBER_JOINS_WITHIN_TICKS = 30;
    private static final int MEMBER_ANSWERS_WITHIN_TICKS = 5;
    private static final long LOOK_EVERY_MS = 50;
    /** The library's thread leaves its loops at the end of a poll. */
    private static final long ENDS_WITHIN_MS = 10_000;

    static {
        ExitRequests.only();
        System.setProperty("zookeeper.admin.enableServer", "false");
    }

    private final Ensemble ensemble;
    private final ServerFiles files;
    private final GuardedConnections connections;
    private final QuorumPeer peer;

    private EnsembleMember(
            ServerSettings settings, Ensemble ensemble, ServerFiles files, GuardedConnections connections)
            throws IOException {
        this.ensemble = ensemble;
        this.files = files;
        this.connections = connections;
        this.peer = peer(settings);
    }

    /**
     * Starts a member, and returns while it looks for the others. Blocks while it replays its log. The address of the
     * member in the ensemble is used instead of that in the settings.
     *
     * @throws IOException if the address cannot be used or the data cannot be read; the message is a sentence for the
     *     operator
     */
    static EnsembleMember open(ServerSettings settings, Ensemble ensemble) throws IOException {
        Ensemble.Member own = ensemble.own();
        GuardedConnections connections =
                GuardedConnections.listen(own.host(), own.port(), settings.maxClientConnections());
        try {
            ServerFiles files = ServerFiles.ofMember(settings.dataDirectory(), ensemble.self());
            EnsembleMember member = new EnsembleMember(settings, ensemble, files, connections);
            SyncRequestProcessor.setSnapCount(settings.snapshotEvery());
            member.peer.start();
            return member;
        } catch (IOException | RuntimeException e) {
            connections.shutdown();
            throw e instanceof IOException failure
                    ? failure
                    : new IOException(
                            "ZooKeeper cannot use its data in " + settings.dataDirectory() + ": " + e.getMessage(), e);
        }
    }

    private QuorumPeer peer(ServerSettings settings) throws IOException {
        QuorumPeer made = new QuorumPeer();
        made.setTxnFactory(files.library());
        made.setElectionType(FAST_ELECTION);
        made.setMyid(ensemble.self());
        made.setTickTime(settings.tickTimeMs());
        made.setInitLimit(MEMBER_JOINS_WITHIN_TICKS);
        made.setSyncLimit(MEMBER_ANSWERS_WITHIN_TICKS);
        made.setZKDatabase(new ZKDatabase(files.library()));
        made.setQuorumVerifier(new QuorumMaj(servers()), false);
        made.initConfigInZKDatabase();
        made.setCnxnFactory(connections);
        made.setSyncEnabled(true);
        made.initialize();
        return made;
    }

    private Map<Long, QuorumServer> servers() {
        Map<Long, QuorumServer> servers = new HashMap<>();
        long id = 0;
        for (Ensemble.Member member : ensemble.members()) {
            id++;
            servers.put(
                    id,
                    new QuorumServer(
                            id,
                            new InetSocketAddress(member.host(), member.followersPort()),
                            new InetSocketAddress(member.host(), member.votesPort()),
                            new InetSocketAddress(member.host(), member.port())));
        }
        return servers;
    }

    @Override
    public String connectString() {
        return ensemble.toString();
    }

    @Override
    public int connectionCount() {
        return connections.getNumAliveConnections();
    }

    @Override
    public boolean awaitServing(long time, TimeUnit unit) throws InterruptedException {
        long end = System.nanoTime() + unit.toNanos(time);
        while (!isServing() && peer.isAlive() && System.nanoTime() < end) {
            Thread.sleep(LOOK_EVERY_MS);
        }
        return isServing();
    }

    private boolean isServing() {
        ZooKeeperServer server = peer.getActiveServer();
        return server != null && server.isRunning();
    }

    /** "leading", "following" or "leaderelection". */
    String state() {
        return peer.getServerState();
    }

    boolean mayVote() throws IOException {
        return files.mayVote();
    }

    @Override
    public boolean awaitEnd(long time, TimeUnit unit) throws InterruptedException {
        peer.join(Math.max(1, unit.toMillis(time)));
        return !peer.isAlive();
    }

    @Override
    public void purge(int retained) throws IOException {
        files.purge(retained);
    }

    @Override
    public void close() {
        peer.shutdown();
        try {
            peer.join(ENDS_WITHIN_MS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        files.close();
    }
}
