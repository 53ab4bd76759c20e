package io.felice.cluster.zookeeper;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Executor;
import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ConnectStringParser;
import org.apache.zookeeper.client.StaticHostProvider;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.Stat;

/**
 * A client of ZooKeeper whose methods do not wait. All answers and events come on the event thread, in the order of the
 * server. After {@link #detach} no more come.
 */
final class ZooKeeperClient {
    /** The result of an operation; {@code value} is null unless the code is OK. */
    interface Answer<T> {
        void of(Code code, T value);
    }

    /** A znode's data and statistics. */
    record Node(byte[] data, Stat stat) {
        String text() {
            return new String(data, StandardCharsets.UTF_8);
        }
    }

    /** Called at each change of the connection's state. */
    interface States {
        void changed(ZooKeeperClient client, Watcher.Event.KeeperState state);
    }

    /** Large enough for the names of a million batches. */
    private static final int MAX_ANSWER_BYTES = 32 << 20;

    private final Executor events;
    private final Handle handle;
    private boolean detached;

    /** Opens a session, or continues an older one if {@code ticket} is not null. */
    ZooKeeperClient(
            String connect,
            int timeoutMs,
            Encryption encryption,
            byte[] secret,
            SessionTicket ticket,
            States states,
            Executor events)
            throws IOException {
        this.events = events;
        Watcher watcher = event -> {
            if (event.getType() == EventType.None) {
                run(() -> states.changed(this, event.getState()));
            }
        };
        handle = ticket == null
                ? new Handle(connect, timeoutMs, watcher, config(encryption))
                : new Handle(connect, timeoutMs, watcher, config(encryption), ticket);
        handle.addAuthInfo("digest", secret);
    }

    /** The library's client. Only a subclass can close the connection without ending the session. */
    @SuppressWarnings("try") // the library's close() may be interrupted
    private static final class Handle extends ZooKeeper {
        Handle(String connect, int timeoutMs, Watcher watcher, ZKClientConfig config) throws IOException {
            super(connect, timeoutMs, watcher, config);
        }

        Handle(String connect, int timeoutMs, Watcher watcher, ZKClientConfig config, SessionTicket ticket)
                throws IOException {
            super(
                    connect,
                    timeoutMs,
                    watcher,
                    ticket.sessionId(),
                    ticket.password(),
                    false,
                    new StaticHostProvider(new ConnectStringParser(connect).getServerAddresses()),
                    config);
        }

        void leave() {
            cnxn.disconnect();
        }
    }

    private static ZKClientConfig config(Encryption encryption) {
        ZKClientConfig config = new ZKClientConfig();
        config.setProperty(ZKClientConfig.ENABLE_CLIENT_SASL_KEY, "false");
        // The store reads all znodes again after a reconnect. The embedded server refuses to restore watches.
        config.setProperty(ZKClientConfig.DISABLE_AUTO_WATCH_RESET, "true");
        config.setProperty(ZKClientConfig.JUTE_MAXBUFFER, Integer.toString(MAX_ANSWER_BYTES));
        encryption.applyTo(config);
        return config;
    }

    SessionTicket ticket() {
        return new SessionTicket(handle.getSessionId(), handle.getSessionPasswd());
    }

    long sessionId() {
        return handle.getSessionId();
    }

    int timeoutMs() {
        return handle.getSessionTimeout();
    }

    boolean isConnected() {
        return handle.getState().isConnected();
    }

    /** Closes the connection and keeps the session. Waits some milliseconds for the client's own threads. */
    void detach() {
        detached = true;
        handle.leave();
    }

    /** Called when the session is over. Late answers are dropped, and the client's threads end by themselves. */
    void abandon() {
        detached = true;
    }

    /** Ends the session. Waits for the server's answer, so it must not be called on the event thread. */
    void end() throws InterruptedException {
        handle.close();
    }

    void get(String path, RepeatedRead watch, Answer<Node> answer) {
        handle.getData(
                path,
                watcher(watch),
                (int rc, String p, Object ctx, byte[] data, Stat stat) ->
                        run(() -> answer.of(Code.get(rc), stat == null ? null : new Node(data, stat))),
                null);
    }

    void exists(String path, RepeatedRead watch, Answer<Stat> answer) {
        handle.exists(
                path,
                watcher(watch),
                (int rc, String p, Object ctx, Stat stat) -> run(() -> answer.of(Code.get(rc), stat)),
                null);
    }

    void children(String path, RepeatedRead watch, Answer<List<String>> answer) {
        handle.getChildren(
                path,
                watcher(watch),
                (int rc, String p, Object ctx, List<String> children) -> run(() -> answer.of(Code.get(rc), children)),
                null);
    }

    void create(String path, byte[] data, CreateMode mode, Answer<Stat> answer) {
        AsyncCallback.Create2Callback callback = (rc, p, ctx, name, stat) -> run(() -> answer.of(Code.get(rc), stat));
        handle.create(path, data, ZooDefs.Ids.CREATOR_ALL_ACL, mode, callback, null);
    }

    void set(String path, byte[] data, int version, Answer<Stat> answer) {
        handle.setData(
                path,
                data,
                version,
                (int rc, String p, Object ctx, Stat stat) -> run(() -> answer.of(Code.get(rc), stat)),
                null);
    }

    void delete(String path, int version, Answer<Void> answer) {
        handle.delete(path, version, (rc, p, ctx) -> run(() -> answer.of(Code.get(rc), null)), null);
    }

    /** The answer's value is the index of the operation that failed; -1 if none failed or the results are unknown. */
    void multi(List<Op> operations, Answer<Integer> answer) {
        handle.multi(operations, (rc, p, ctx, results) -> run(() -> answer.of(Code.get(rc), failed(results))), null);
    }

    /** Makes the server catch up with the leader of the ensemble. An answer proves that the leader was reached. */
    void sync(String path, Answer<Void> answer) {
        handle.sync(path, (rc, p, ctx) -> run(() -> answer.of(Code.get(rc), null)), null);
    }

    static Op create(String path, byte[] data, CreateMode mode) {
        return Op.create(path, data, ZooDefs.Ids.CREATOR_ALL_ACL, mode);
    }

    /** True if it is unknown whether the operation was done. It can be tried again when there is a connection. */
    static boolean isUnknown(Code code) {
        return code == Code.CONNECTIONLOSS || code == Code.OPERATIONTIMEOUT || code == Code.SESSIONMOVED;
    }

    private static Integer failed(List<OpResult> results) {
        if (results != null) {
            for (int i = 0; i < results.size(); i++) {
                if (results.get(i) instanceof OpResult.ErrorResult error
                        && error.getErr() != Code.OK.intValue()
                        && error.getErr() != Code.RUNTIMEINCONSISTENCY.intValue()) {
                    return i;
                }
            }
        }
        return -1;
    }

    /**
     * Starts a {@link RepeatedRead} again when a znode changes. The library keeps one of several equal watchers, so repeated
     * readings of an unchanged znode do not add watchers.
     */
    private record Watch(ZooKeeperClient client, RepeatedRead look) implements Watcher {
        @Override
        public void process(WatchedEvent event) {
            if (event.getType() != EventType.None) {
                client.run(look::now);
            }
        }
    }

    private Watcher watcher(RepeatedRead watch) {
        return watch == null ? null : new Watch(this, watch);
    }

    private void run(Runnable task) {
        events.execute(() -> {
            if (!detached) {
                task.run();
            }
        });
    }
}
