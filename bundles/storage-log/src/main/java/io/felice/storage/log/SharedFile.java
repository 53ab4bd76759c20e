package io.felice.storage.log;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A segment's file, opened when it is used and closed when nobody uses it and too many are open.
 *
 * <p>Thread-safe. Who touches the file does so between {@link #enter} and {@link #leave}, or holds a {@link Pin}; only
 * then does {@link #channel} stay open. Its monitor guards who uses it and is taken after all other locks; opening, which
 * may take time, has a lock of its own. A retired file closes with its last user.
 */
final class SharedFile {
    private static final Logger LOG = LoggerFactory.getLogger(SharedFile.class);

    private final LogResources shared;
    private final Supplier<Path> path;
    private final Object opening = new Object();

    private volatile FileChannel channel;
    private volatile long lastUsed;
    private boolean usedSinceRest;
    private final Set<Pin> pins = new HashSet<>();
    private int users;
    private volatile boolean retired;

    /** @param path where it is now, which changes with the log's directory */
    SharedFile(LogResources shared, Supplier<Path> path) {
        this.shared = shared;
        this.path = path;
    }

    synchronized void enter() {
        users++;
        usedSinceRest = true;
        lastUsed = shared.openFiles().now();
    }

    synchronized void leave() {
        users--;
        notifyAll();
        if (retired && users == 0) {
            close();
        }
    }

    /** Counts a pin as a user from now on; the pin leaves when it is run. */
    synchronized void enter(Pin pin) {
        enter();
        pins.add(pin);
    }

    private synchronized void leave(Pin pin) {
        if (pins.remove(pin)) {
            shared.counters().pinnedBytes.add(-pin.bytes);
            leave();
        }
    }

    private synchronized void narrowed() {
        notifyAll();
    }

    /** Waits until no pin reaches above a position; false if one still does after so long. */
    synchronized boolean awaitPinsBelow(long position, long millis) throws InterruptedException {
        long deadline = System.nanoTime() + millis * 1_000_000;
        while (pins.stream().anyMatch(pin -> pin.end > position)) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                return false;
            }
            wait(left);
        }
        return true;
    }

    /** The file, open; made if it is not there yet and {@code create} says so. */
    FileChannel channel(boolean create) throws IOException {
        FileChannel open = channel;
        return open != null ? open : open(create);
    }

    private FileChannel open(boolean create) throws IOException {
        synchronized (opening) {
            if (channel == null) {
                if (retired) {
                    throw new ClosedChannelException();
                }
                openAt(path.get(), create);
            }
            return channel;
        }
    }

    /** Opens it where it is going to be known by another name; the caller is its only user. */
    void openAt(Path otherName, boolean create) throws IOException {
        channel = shared.files().open(otherName, create);
        shared.openFiles().opened(this);
    }

    /** By the clock of {@link OpenFiles#now}. */
    long lastUsed() {
        return lastUsed;
    }

    synchronized void closeIfUnused() {
        if (users == 0) {
            close();
        }
    }

    /** Closes it if nobody used it since the last rest; true if so. */
    synchronized boolean rest() {
        if (usedSinceRest || users > 0) {
            usedSinceRest = false;
            return false;
        }
        close();
        return true;
    }

    /** The file is no longer part of the log. */
    synchronized void retire() {
        retired = true;
        closeIfUnused();
    }

    boolean isRetired() {
        return retired;
    }

    private void close() {
        FileChannel closing = channel;
        if (closing != null) {
            channel = null;
            shared.openFiles().closed(this);
            try {
                closing.close();
            } catch (IOException failure) {
                LOG.warn("{} did not close: {}", path.get(), failure.toString());
            }
        }
    }

    /** Keeps a range of a segment's file as it is; until {@link #narrow} says which, all of it. */
    static final class Pin implements Runnable {
        final SegmentFile segment;
        /** Bytes of the file that may be read, and the offset after the batches in them, when the pin was made. */
        final long readable;

        final long next;

        private final SharedFile file;
        private volatile long end = Long.MAX_VALUE;
        private int bytes;

        Pin(SegmentFile segment, long readable, long next) {
            this.segment = segment;
            this.file = segment.file;
            this.readable = readable;
            this.next = next;
        }

        void narrow(long from, int length) {
            end = from + length;
            bytes = length;
            file.shared.counters().pinnedBytes.add(length);
            file.narrowed();
        }

        @Override
        public void run() {
            file.leave(this);
        }
    }
}
